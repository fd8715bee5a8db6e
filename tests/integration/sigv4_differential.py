#!/usr/bin/python3
"""Signs random requests with botocore and has ours verify them: no mismatch is allowed.

  sigv4_differential.py --checker PATH [--count N] [--seed S]

Every request is valid and must be accepted for its key. Then each of a sample is changed in one bit,
somewhere, and must be refused. N defaults to 2,000; a release runs 1,000,000.
"""
import argparse
import datetime
import random
import string
import subprocess
import sys
import tempfile
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEYS = [('AKIA' + 'ABCDEFGHIJKLMNOP'[i:] + 'ABCDEFGHIJKLMNOP'[:i], f'secret/+{i}=' + 'x' * i, '')
        for i in range(12)]
KEYS += [(f'ASIA{i:016d}', f'temporary{i}', f'token/+=={i}' * (i + 1)) for i in range(4)]
WHO = {key[0]: key for key in KEYS}


def text(rng, size):
    alphabet = string.ascii_letters + string.digits + "-._~ !*'();:@&=+$,/?%#[]\\\"<>|{}^`é€😀\t"
    return ''.join(rng.choice(alphabet) for _ in range(rng.randrange(size)))


def parameters(rng):
    names = ['Action', 'Version', 'InstanceId.1', 'Filter.1.Name', 'Filter.1.Value.1', 'a', 'A', 'a-b', 'a b', 'ä']
    return {name + str(rng.randrange(3)): text(rng, 20) for name in rng.sample(names, rng.randrange(len(names)))}


def path(rng):
    if rng.random() < 0.6:
        return '/'
    parts = [rng.choice(['base', '.', '..', '', 'x y', 'é', 'a~b', 'p:q', 'a+b']) for _ in range(rng.randrange(1, 5))]
    return '/' + urllib.parse.quote('/'.join(parts), safe='/~')


def headers(rng):
    out = {}
    if rng.random() < 0.5:
        out['Content-Type'] = 'application/x-www-form-urlencoded; charset=utf-8'
    if rng.random() < 0.3:
        out['X-Amz-User-Agent'] = 'aws-sdk-js/3.0  os/linux   lang/js'
    if rng.random() < 0.3:
        out['amz-sdk-request'] = f'attempt={rng.randrange(9)};  max=3'
    if rng.random() < 0.2:
        out['Custom'] = '  ' + ' '.join(text(rng, 6).strip() or 'v' for _ in range(4)).replace('\t', ' ') + ' '
        out['Custom'] = out['Custom'].encode('ascii', 'ignore').decode()
    return out


class FixedTime(datetime.datetime):
    """What botocore.auth takes for the time of signing."""
    now_is = None

    @classmethod
    def utcnow(cls):
        return cls.now_is


def signed_request(rng):
    """One valid request as the wire shows it: (server's time, method, target, body, headers, key id)."""
    when = datetime.datetime(2000, 1, 1) + datetime.timedelta(seconds=rng.randrange(2_000_000_000))
    FixedTime.now_is = when
    key = rng.choice(KEYS)
    method = rng.choice(['GET', 'POST'])
    host = rng.choice(['ec2.us-east-1.amazonaws.com', '127.0.0.1:8788', 'berth.example:443', '[::1]:80'])
    url = f'{rng.choice(["http", "https"])}://{host}{path(rng)}'
    body = b''
    request = AWSRequest(method=method, url=url, headers=headers(rng))
    if method == 'GET':
        # As botocore sends: parameters are encoded into the URL before signing, or signed as a dict.
        request.params = parameters(rng)
    else:
        body = urllib.parse.urlencode(parameters(rng)).encode()
        request.data = body
    service = rng.choice(['ec2', 'ec2', 'ec2', 'sts'])
    credentials = Credentials(key[0], key[1], key[2] or None)
    if method == 'GET' and rng.random() < 0.2:
        signer = botocore.auth.SigV4QueryAuth(credentials, service, 'us-east-1', expires=rng.randrange(1, 604801))
    else:
        signer = botocore.auth.SigV4Auth(credentials, service, 'us-east-1')
    signer.add_auth(request)
    prepared = request.prepare()
    target = prepared.url.split('//', 1)[1]
    target = '/' + target.split('/', 1)[1] if '/' in target else '/'
    sent = [(name, value if isinstance(value, str) else value.decode()) for name, value in prepared.headers.items()]
    if not any(name.lower() == 'host' for name, _ in sent):
        sent.append(('Host', wire_host(prepared.url)))
    sent.append(('User-Agent', 'Boto3/1.26.27'))
    now = when + datetime.timedelta(seconds=rng.randrange(0, 300) if '?' in target and 'X-Amz-Expires' in target
                                    else rng.randrange(-300, 301))
    if 'X-Amz-Expires' in target:
        lasts = int(urllib.parse.parse_qs(target.split('?', 1)[1])['X-Amz-Expires'][0])
        now = when + datetime.timedelta(seconds=rng.randrange(-300, lasts + 1))
    rng.shuffle(sent)
    return now.strftime('%Y%m%dT%H%M%SZ'), method, target, body, sent, key[0]


def wire_host(url):
    parts = urllib.parse.urlsplit(url)
    default = {'http': 80, 'https': 443}[parts.scheme]
    host = f'[{parts.hostname}]' if ':' in parts.hostname else parts.hostname
    return host if parts.port in (None, default) else f'{host}:{parts.port}'


def changed(rng, request):
    """The same request with one bit changed in what the signature covers."""
    now, method, target, body, sent, key = request
    covered = 'authorization host x-amz-date x-amz-security-token content-type'.split()
    places = [('target', None)] + ([('body', None)] if body else [])
    places += [('header', i) for i, (name, value) in enumerate(sent) if name.lower() in covered and value]
    place, index = rng.choice(places)
    sent = list(sent)
    old = {'target': target.encode('latin-1'), 'body': body}.get(place) if place != 'header' else sent[index][1].encode()
    at = rng.randrange(len(old))
    new = old[:at] + bytes([old[at] ^ (1 << rng.randrange(8))]) + old[at + 1:]
    if place == 'body':
        body = new
    elif place == 'target':
        if equivalent(old, new):
            return None
        target = new
    else:
        if new.strip() == old.strip():
            return None
        sent[index] = (sent[index][0], new)
    return now, method, target, body, sent, key


def equivalent(old, new):
    """Whether two targets mean the same, so that one signature rightly covers both."""
    def meaning(target):
        where, _, query = target.decode('latin-1').partition('?')
        parts = []
        for part in where.split('/'):
            if part == '..':
                del parts[-1:]
            elif part not in ('', '.'):
                parts.append(part)
        pairs = [tuple(urllib.parse.unquote_to_bytes(x.replace('+', ' ')) for x in (p.partition('=')[0], p.partition('=')[2]))
                 for p in query.split('&')]
        return parts, where[-1:] == '/' or not parts, sorted(pairs)
    return meaning(old) == meaning(new)


def netstring(value):
    value = value if isinstance(value, bytes) else str(value).encode()
    return b'%d:%s,' % (len(value), value)


def verdicts(checker, requests):
    with tempfile.TemporaryFile() as f:
        f.write(netstring(len(KEYS)) + b''.join(netstring(x) for key in KEYS for x in key))
        for now, method, target, body, sent, _ in requests:
            fields = [now, method, target, body, len(sent)] + [x for pair in sent for x in pair]
            f.write(b''.join(netstring(x) for x in fields))
        f.seek(0)
        return subprocess.run([checker, '--presigned'], stdin=f, stdout=subprocess.PIPE, check=True,
                              text=True).stdout.splitlines()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--checker', required=True)
    parser.add_argument('--count', type=int, default=2000)
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    botocore.auth.datetime.datetime = FixedTime
    rng = random.Random(args.seed)
    mismatches = accepted = refused = 0
    for start in range(0, args.count, 10_000):
        requests = [signed_request(rng) for _ in range(min(10_000, args.count - start))]
        for request, verdict in zip(requests, verdicts(args.checker, requests), strict=True):
            accepted += verdict == request[5]
            if verdict != request[5]:
                mismatches += 1
                print('refused a valid request:', verdict, request, file=sys.stderr)
        bad = [b for b in (changed(rng, request) for request in requests) if b]
        for request, verdict in zip(bad, verdicts(args.checker, bad), strict=True):
            refused += verdict.startswith('!')
            if not verdict.startswith('!'):
                mismatches += 1
                print('accepted a changed request:', verdict, request, file=sys.stderr)
    print(f'{accepted} valid requests accepted, {refused} changed ones refused, {mismatches} mismatches')
    return 1 if mismatches or accepted != args.count or refused < args.count // 2 else 0


if __name__ == '__main__':
    sys.exit(main())
