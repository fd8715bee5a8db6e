#!/usr/bin/python3
"""Watches the signature check under valgrind: it must not tell which keys exist, nor their secrets.

  sigv4_no_oracle.py --probe PATH

An unknown key costs as many instructions as a wrong signature, within 0.1 %; and the only branch that
depends on a secret is the verdict itself.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

SKIPPED = 77
DIFFERENCE_MAX = 0.001


def run(tool, probe, mode):
    # OpenSSL is held to its portable code: valgrind knows not every instruction of a new processor.
    environment = dict(os.environ, OPENSSL_ia32cap='0')
    command = ['valgrind', *tool, probe, mode]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0 or 'refused ' not in done.stdout:
        sys.exit(f'{" ".join(command)} ended with {done.returncode}:\n{done.stdout}')
    return done.stdout


def instructions(probe, mode):
    tool = ['--tool=callgrind', '--collect-atstart=no', '--callgrind-out-file=/dev/null']
    return int(re.search(r'Collected : (\d+)', run(tool, probe, mode)).group(1))


def secret_dependent_places(probe):
    report = run(['--error-limit=no', '--num-callers=1'], probe, 'secret')
    return re.findall(r'(?:Conditional jump|Use of uninit)[^\n]*\n==\d+==    at 0x\w+: (\S+?)\(', report)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--probe', required=True)
    args = parser.parse_args()
    if shutil.which('valgrind') is None:
        print('valgrind is not installed')
        return SKIPPED
    known, unknown = (instructions(args.probe, mode) for mode in ('known', 'unknown'))
    difference = abs(known - unknown) / known
    places = secret_dependent_places(args.probe)
    print(f'wrong signature {known}, unknown key {unknown} instructions: {difference:.4%} apart; '
          f'places that branch on a secret: {", ".join(places) or "none"}')
    # None at all would mean that the secrets were not watched: the verdict has to branch on them.
    return 0 if difference <= DIFFERENCE_MAX and places == ['berth::ec2::verify'] else 1


if __name__ == '__main__':
    sys.exit(main())
