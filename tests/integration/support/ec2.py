"""Two tenants of an EC2 endpoint, one instance of each, and how their calls are refused."""

import argparse
import atexit
import os
import pathlib
import unittest
import uuid

import boto3
import botocore.config
import botocore.exceptions

ROOT = pathlib.Path(__file__).resolve().parents[3]
ED25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICGdrzE2wslCmj9JkGVkpgvAWIjYRLIAxWpaWW/e4hHD ada@example'
ED25519_FINGERPRINT = 'dRoZQOLC8z1oitK9pU8shBdpo0+MOEmTxga2qd2twJg='
ABSENT = {'i': 'i-00000000000000bad', 'ami': 'ami-00000000000000bad', 'key': 'key-00000000000000bad',
          'lt': 'lt-00000000000000bad', 'pg': 'pg-00000000000000bad'}
OPTIONS = argparse.Namespace()  # filled by whoever is the program


def client(key, service='ec2', **config):
    identity, secret = os.environ[key].split(':', 1)
    # One attempt: what is refused is seen as it was refused.
    config = {'retries': {'total_max_attempts': 1}, 'parameter_validation': False, **config}
    return boto3.client(service, endpoint_url=os.environ['BERTH_ENDPOINT'], region_name=OPTIONS.region,
                        aws_access_key_id=identity, aws_secret_access_key=secret,
                        config=botocore.config.Config(**config))


def unique(stem):
    return f'{stem}-{uuid.uuid4().hex[:12]}'


def refusal(call, **arguments):
    """(code, HTTP status, message) of a call that has to fail; None if it does not."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as e:
        return (e.response['Error']['Code'], e.response['ResponseMetadata']['HTTPStatusCode'],
                e.response['Error']['Message'])
    return None


class Cloud(unittest.TestCase):
    """What every test has: two tenants, an image, a type, one instance of each tenant."""

    @classmethod
    def setUpClass(cls):
        if Cloud.__dict__.get('a'):
            return
        atexit.register(terminate_everything)
        Cloud.a, Cloud.b = client('BERTH_KEY_A'), client('BERTH_KEY_B')
        images = Cloud.a.describe_images(Filters=[{'Name': 'is-public', 'Values': ['true']}])['Images']
        Cloud.image = OPTIONS.image or images[0]['ImageId']
        types = Cloud.a.describe_instance_types()['InstanceTypes']
        size = lambda t: (t['MemoryInfo']['SizeInMiB'], t['VCpuInfo']['DefaultVCpus'], t['InstanceType'])
        Cloud.type = OPTIONS.type or min(types, key=size)['InstanceType']
        Cloud.made = {'a': [], 'b': []}
        Cloud.own = cls.launched('a')[0]
        Cloud.foreign = cls.launched('b')[0]

    @classmethod
    def launched(cls, tenant, count=1, **more):
        arguments = {'ImageId': Cloud.image, 'InstanceType': Cloud.type, 'MinCount': count, 'MaxCount': count, **more}
        reply = getattr(Cloud, tenant).run_instances(**arguments)
        ids = [i['InstanceId'] for i in reply['Instances']]
        Cloud.made[tenant] += ids
        return ids

    @classmethod
    def described(cls, instance, ec2=None):
        return (ec2 or Cloud.a).describe_instances(InstanceIds=[instance])['Reservations'][0]['Instances'][0]

    def wait(self, waiter, ids):
        Cloud.a.get_waiter(waiter).wait(InstanceIds=ids, WaiterConfig={'Delay': 1, 'MaxAttempts': OPTIONS.wait})

    def refused(self, code, call, status=400, **arguments):
        found = refusal(call, **arguments)
        self.assertIsNotNone(found, f'expected {code}, but the call succeeded')
        self.assertEqual(found[:2], (code, status), found[2])
        return found[2]


def terminate_everything():
    for tenant, ids in getattr(Cloud, 'made', {}).items():
        ec2 = getattr(Cloud, tenant)
        for i in ids:
            refusal(ec2.modify_instance_attribute, InstanceId=i, DisableApiTermination={'Value': False})
        if ids:
            refusal(ec2.terminate_instances, InstanceIds=ids)
