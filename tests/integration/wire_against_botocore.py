#!/usr/bin/python3
"""Holds our reader and writer of the EC2 wire against botocore's.

  wire_against_botocore.py --echo PATH [--rounds N]

Answers: our writer renders results filled at random, botocore's parser must read equal values.
Requests: botocore serialises random parameters, our reader must give equal ones.
"""
import argparse
import base64
import datetime
import json
import random
import subprocess
import sys
import tempfile
import urllib.parse

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
FORM = 'application/x-www-form-urlencoded; charset=utf-8'
REQUESTS_PER_ACTION = 40


def service_model(name):
    loader = botocore.loaders.Loader()
    return botocore.model.ServiceModel(loader.load_service_model(name, 'service-2'), name)


MODELS = {name: service_model(name) for name in ('ec2', 'sts')}


def milliseconds(when):
    return round((when - EPOCH) / datetime.timedelta(milliseconds=1))


def plain(shape, value):
    """A botocore value in the form of our dump."""
    kind = shape.type_name
    if kind == 'structure':
        return {name: plain(shape.members[name], v) for name, v in value.items()}
    if kind == 'list':
        return [plain(shape.member, v) for v in value]
    if kind == 'timestamp':
        return milliseconds(value)
    if kind == 'blob':
        return base64.b64encode(value).decode()
    return value


def check_answers(echo, seed):
    lines = subprocess.run([echo, 'render', str(seed)], stdout=subprocess.PIPE, check=True).stdout
    wrong = 0
    for line in lines.decode().splitlines():
        answer = json.loads(line)
        model = MODELS[answer['service']]
        shape = model.operation_model(answer['action']).output_shape
        parser = botocore.parsers.create_parser(model.metadata['protocol'])
        response = {'body': answer['xml'].encode(), 'headers': {}, 'status_code': 200}
        parsed = parser.parse(response, shape)
        request_id = parsed.pop('ResponseMetadata')['RequestId']
        found = plain(shape, parsed) if shape else {}
        wanted = answer['value'] if shape else {}
        if found != wanted or request_id != '00000000-0000-4000-8000-000000000000':
            wrong += 1
            print(f'{answer["action"]} seed {seed}: wrote {wanted}, botocore read {found}', file=sys.stderr)
        if not shape and 'Return' in answer['value']:
            if f'<return>{str(answer["value"]["Return"]).lower()}</return>' not in answer['xml']:
                wrong += 1
                print(f'{answer["action"]}: expected <return>, found {answer["xml"]}', file=sys.stderr)
    return wrong


OPEN = {'InstanceType', 'ResourceType', 'AccountAttributeName'}


def random_value(rng, shape):
    kind = shape.type_name
    if kind == 'structure':
        chosen = set(shape.required_members) | {name for name in shape.members if rng.random() < 0.4}
        if shape.members and not chosen:
            chosen = {rng.choice(list(shape.members))}  # nothing in it would be nothing sent
        return {name: random_value(rng, shape.members[name]) for name in chosen}
    if kind == 'list':
        return [random_value(rng, shape.member) for _ in range(rng.choice([1, 2, 3, 11]))]
    if kind == 'boolean':
        return rng.random() < 0.5
    if kind in ('integer', 'long'):
        return rng.randint(shape.metadata.get('min', -2**31), shape.metadata.get('max', 2**31 - 1))
    if kind in ('float', 'double'):
        return rng.randrange(1000) / 8
    if kind == 'timestamp':
        return EPOCH + datetime.timedelta(seconds=rng.randrange(4_000_000_000))
    if kind == 'blob':
        return rng.randbytes(rng.randrange(1, 50))
    if getattr(shape, 'enum', None) and shape.name not in OPEN:
        return rng.choice(shape.enum)
    # botocore refuses what is shorter than the model allows.
    length = rng.randrange(max(1, shape.metadata.get('min', 1)), 12)
    return ''.join(rng.choice("abc XYZ019-._~+&=%/?#é€😀\n") for _ in range(length))


def netstring(value):
    value = value if isinstance(value, bytes) else value.encode()
    return b'%d:%s,' % (len(value), value)


def check_requests(echo, rng, actions):
    wanted = []
    with tempfile.TemporaryFile() as f:
        for service, action in actions:
            model = MODELS[service]
            operation = model.operation_model(action)
            serializer = botocore.serialize.create_serializer(model.metadata['protocol'], include_validation=True)
            for _ in range(REQUESTS_PER_ACTION):
                value = random_value(rng, operation.input_shape)
                body = serializer.serialize_to_request(value, operation)['body']
                pairs = list(body.items())
                rng.shuffle(pairs)
                encoded = urllib.parse.urlencode(
                    pairs, quote_via=rng.choice([urllib.parse.quote, urllib.parse.quote_plus]))
                if rng.random() < 0.5:
                    fields = ('POST', '/', FORM, encoded)
                else:
                    fields = ('GET', '/?' + encoded, '', '')
                f.write(b''.join(map(netstring, fields)))
                wanted.append((action, plain(operation.input_shape, value)))
        f.seek(0)
        out = subprocess.run([echo, 'read'], stdin=f, stdout=subprocess.PIPE, check=True).stdout
    wrong = 0
    for (action, value), line in zip(wanted, out.decode().splitlines(), strict=True):
        found = json.loads(line)
        if found != {'action': action, 'value': value}:
            wrong += 1
            print(f'{action}: botocore sent {value}, we read {found}', file=sys.stderr)
    return wrong, len(wanted)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--echo', required=True)
    parser.add_argument('--rounds', type=int, default=5)
    args = parser.parse_args()
    first = subprocess.run([args.echo, 'render', '0'], stdout=subprocess.PIPE, check=True).stdout
    actions = [(a['service'], a['action']) for a in map(json.loads, first.decode().splitlines())]
    wrong_answers = sum(check_answers(args.echo, seed) for seed in range(args.rounds * 20))
    wrong_requests = requests = 0
    for round_number in range(args.rounds):
        wrong, count = check_requests(args.echo, random.Random(round_number), actions)
        wrong_requests += wrong
        requests += count
    print(f'{len(actions)} actions: {len(actions) * args.rounds * 20} answers, {wrong_answers} wrong; '
          f'{requests} requests, {wrong_requests} wrong')
    return 1 if wrong_answers or wrong_requests or not actions else 0


if __name__ == '__main__':
    sys.exit(main())
