#!/usr/bin/python3
"""The EC2 API as unmodified clients see it: boto3 and the aws CLI against a running endpoint.

  BERTH_ENDPOINT=https://127.0.0.1:8773 AWS_CA_BUNDLE=ca.pem \\
  BERTH_KEY_A=AKIA...:secret BERTH_KEY_B=AKIA...:secret tests/integration/ec2_clients.py [options]

  --guests=real|fake  what is behind the agents. Default real: the console must show a line of the guest.
  --image=ami-...     default: the first public image
  --type=NAME         default: the smallest type that is offered
  --wait=SECONDS      how long a change of state may take. Default 180.
  --presigned         the endpoint takes presigned URLs
  --cli=PATH          default /usr/bin/aws; empty: leave the CLI out

Two tenants, whose quotas let each run a handful of the smallest type. What it makes it terminates and
deletes. Tests are named by what holds; unittest's own options go behind `--`.
"""
import argparse
import base64
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

import botocore
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import botocore.httpsession

from ec2_matrix import Matrix  # noqa: F401, its tests run here
from ec2_groups import Groups  # noqa: F401, as well
from ec2_templates import Templates  # noqa: F401, as well
from support.ec2 import ABSENT, ED25519, ED25519_FINGERPRINT, OPTIONS, Cloud, client, refusal, unique


# ---- Life ----------------------------------------------------------------------------------------------


class Life(Cloud):
    def test_an_instance_goes_through_its_states_and_its_waiters_see_them(self):
        reply = self.a.run_instances(ImageId=self.image, InstanceType=self.type, MinCount=1, MaxCount=1,
                                     UserData='#!/bin/sh\n', DisableApiTermination=False)
        i = reply['Instances'][0]['InstanceId']
        self.made['a'].append(i)
        self.assertRegex(i, r'^i-[0-9a-f]{17}$')
        self.assertRegex(reply['ReservationId'], r'^r-[0-9a-f]{17}$')
        self.assertEqual(reply['Instances'][0]['State'], {'Code': 0, 'Name': 'pending'})
        self.wait('instance_exists', [i])
        self.wait('instance_running', [i])
        self.wait('instance_status_ok', [i])
        self.wait('system_status_ok', [i])
        running = self.described(i)
        self.assertEqual(running['State'], {'Code': 16, 'Name': 'running'})
        self.assertIsNone(refusal(self.a.reboot_instances, InstanceIds=[i]))
        self.assertEqual(self.described(i)['State']['Code'], 16)

        change = self.a.stop_instances(InstanceIds=[i])['StoppingInstances'][0]
        self.assertEqual((change['PreviousState']['Code'], change['CurrentState']['Code']), (16, 64))
        self.wait('instance_stopped', [i])
        stopped = self.described(i)
        self.assertEqual(stopped['StateReason']['Code'], 'Client.UserInitiatedShutdown')
        self.assertRegex(stopped['StateTransitionReason'], r'^User initiated \(.* GMT\)$')
        self.assertEqual(self.a.stop_instances(InstanceIds=[i])['StoppingInstances'][0]['CurrentState']['Code'], 80)

        self.become_of_another_type(i)
        change = self.a.start_instances(InstanceIds=[i])['StartingInstances'][0]
        self.assertEqual((change['PreviousState']['Code'], change['CurrentState']['Code']), (80, 0))
        self.wait('instance_running', [i])

        change = self.a.terminate_instances(InstanceIds=[i])['TerminatingInstances'][0]
        self.assertEqual((change['PreviousState']['Code'], change['CurrentState']['Code']), (16, 32))
        self.wait('instance_terminated', [i])
        gone = self.described(i)
        self.assertEqual(gone['NetworkInterfaces'], [])
        self.assertEqual(gone['BlockDeviceMappings'], [])
        self.assertEqual(self.a.terminate_instances(InstanceIds=[i])['TerminatingInstances'][0]['CurrentState']['Code'], 48)
        self.refused('IncorrectInstanceState', self.a.start_instances, InstanceIds=[i])
        self.refused('IncorrectInstanceState', self.a.stop_instances, InstanceIds=[i])

    def become_of_another_type(self, i):
        """A stopped instance, in both forms, and back to the type it had."""
        other = next(t['InstanceType'] for t in self.a.describe_instance_types()['InstanceTypes'] if t['InstanceType'] != self.type)
        self.a.modify_instance_attribute(InstanceId=i, Attribute='instanceType', Value=other)
        self.assertEqual(self.a.describe_instance_attribute(InstanceId=i, Attribute='instanceType')['InstanceType'], {'Value': other})
        self.assertEqual(self.described(i)['InstanceType'], other)
        self.assertIn('spam.large', self.refused('InvalidInstanceAttributeValue', self.a.modify_instance_attribute,
                                                 InstanceId=i, InstanceType={'Value': 'spam.large'}))
        self.a.modify_instance_attribute(InstanceId=i, InstanceType={'Value': 'r5.16xlarge'})
        self.refused('InsufficientInstanceCapacity', self.a.start_instances, 500, InstanceIds=[i])
        self.assertEqual(self.described(i)['State']['Name'], 'stopped')
        self.a.modify_instance_attribute(InstanceId=i, InstanceType={'Value': self.type})

    def test_an_instance_shows_what_terraform_and_ansible_take_for_granted(self):
        self.wait('instance_running', [self.own])
        i = self.described(self.own)
        nic = i['NetworkInterfaces'][0]
        self.assertEqual(nic['Attachment']['DeviceIndex'], 0)
        self.assertTrue(nic['SourceDestCheck'])
        self.assertEqual(nic['Groups'], [])
        self.assertEqual(i['RootDeviceName'], i['BlockDeviceMappings'][0]['DeviceName'])
        self.assertTrue(i['BlockDeviceMappings'][0]['Ebs']['DeleteOnTermination'])
        self.assertEqual(i['Placement']['Tenancy'], 'default')
        self.assertEqual(i['Monitoring'], {'State': 'disabled'})
        for field in ('CpuOptions', 'MetadataOptions', 'PrivateDnsNameOptions', 'HibernationOptions', 'EnclaveOptions',
                      'Architecture', 'Hypervisor', 'SecurityGroups', 'LaunchTime', 'EbsOptimized', 'SourceDestCheck'):
            self.assertIn(field, i)
        self.assertEqual(len(i['MetadataOptions']), 6)
        if i.get('PrivateIpAddress'):
            self.assertTrue(i['PrivateDnsName'].startswith('ip-' + i['PrivateIpAddress'].replace('.', '-')))

    def test_a_batch_is_one_reservation_with_launch_indices(self):
        ids = self.launched('a', 2)
        reservations = self.a.describe_instances(InstanceIds=ids)['Reservations']
        self.assertEqual(len(reservations), 1)
        self.assertEqual([i['AmiLaunchIndex'] for i in reservations[0]['Instances']], [0, 1])
        self.assertEqual(reservations[0]['OwnerId'], client('BERTH_KEY_A', 'sts').get_caller_identity()['Account'])
        self.a.terminate_instances(InstanceIds=ids)

    def test_a_retried_token_gives_the_same_instances_and_another_request_a_mismatch(self):
        token = unique('token')
        first = self.launched('a', ClientToken=token)
        for _ in range(3):
            self.assertEqual(self.launched('a', ClientToken=token), first)
        self.refused('IdempotentParameterMismatch', self.launched, tenant='a', ClientToken=token, EbsOptimized=True)
        # Tokens are a tenant's own.
        self.assertNotEqual(self.launched('b', ClientToken=token), first)
        self.a.terminate_instances(InstanceIds=first)
        self.assertEqual(self.launched('a', ClientToken=token), first)

    def test_the_console_can_be_read(self):
        deadline = time.monotonic() + OPTIONS.wait
        while True:
            reply = self.a.get_console_output(InstanceId=self.own)
            self.assertEqual(reply['InstanceId'], self.own)
            self.assertIn('Timestamp', reply)
            if OPTIONS.guests == 'fake' or reply.get('Output'):
                return
            self.assertLess(time.monotonic(), deadline, 'the guest wrote nothing to its console')
            time.sleep(1)


class Attributes(Cloud):
    def value(self, attribute, key):
        return self.a.describe_instance_attribute(InstanceId=self.own, Attribute=attribute).get(key)

    def test_every_attribute_can_be_asked_for(self):
        for attribute in ('instanceType', 'kernel', 'ramdisk', 'userData', 'disableApiTermination',
                          'instanceInitiatedShutdownBehavior', 'rootDeviceName', 'blockDeviceMapping', 'productCodes',
                          'sourceDestCheck', 'groupSet', 'ebsOptimized', 'sriovNetSupport', 'enaSupport',
                          'enclaveOptions', 'disableApiStop'):
            reply = self.a.describe_instance_attribute(InstanceId=self.own, Attribute=attribute)
            self.assertEqual(reply['InstanceId'], self.own, attribute)
        self.assertEqual(self.value('groupSet', 'Groups'), [])
        self.assertIsNone(self.value('userData', 'Groups'))
        self.refused('InvalidParameterValue', self.a.describe_instance_attribute, InstanceId=self.own, Attribute='spam')

    def test_protection_from_termination_holds_for_the_whole_batch(self):
        kept, other = self.launched('a', 2)
        self.a.modify_instance_attribute(InstanceId=kept, DisableApiTermination={'Value': True})
        reply = self.a.describe_instance_attribute(InstanceId=kept, Attribute='disableApiTermination')
        self.assertEqual(reply['DisableApiTermination'], {'Value': True})
        self.refused('OperationNotPermitted', self.a.terminate_instances, InstanceIds=[kept, other])
        self.assertNotIn(self.described(other)['State']['Name'], ('shutting-down', 'terminated'))
        self.a.modify_instance_attribute(InstanceId=kept, Attribute='disableApiTermination', Value='false')
        self.assertIsNone(refusal(self.a.terminate_instances, InstanceIds=[kept, other]))

    def test_protection_from_stop_holds(self):
        i = self.launched('a', DisableApiStop=True)[0]
        self.wait('instance_running', [i])
        self.refused('OperationNotPermitted', self.a.stop_instances, InstanceIds=[i])
        self.a.modify_instance_attribute(InstanceId=i, DisableApiStop={'Value': False})
        self.assertIsNone(refusal(self.a.stop_instances, InstanceIds=[i]))
        self.a.terminate_instances(InstanceIds=[i])

    def test_shutdown_behaviour_and_what_needs_a_stopped_instance(self):
        self.a.modify_instance_attribute(InstanceId=self.own, InstanceInitiatedShutdownBehavior={'Value': 'terminate'})
        self.assertEqual(self.value('instanceInitiatedShutdownBehavior', 'InstanceInitiatedShutdownBehavior'), {'Value': 'terminate'})
        self.a.modify_instance_attribute(InstanceId=self.own, InstanceInitiatedShutdownBehavior={'Value': 'stop'})
        self.wait('instance_running', [self.own])
        self.refused('IncorrectInstanceState', self.a.modify_instance_attribute, InstanceId=self.own, InstanceType={'Value': self.type})
        self.refused('IncorrectInstanceState', self.a.modify_instance_attribute, InstanceId=self.own, UserData={'Value': b'x'})
        self.refused('InvalidParameterCombination', self.a.modify_instance_attribute, InstanceId=self.own)

    def test_user_data_comes_back_byte_for_byte(self):
        data = bytes(range(256))
        i = self.launched('a', UserData=data)[0]  # boto3 encodes it
        found = self.a.describe_instance_attribute(InstanceId=i, Attribute='userData')['UserData']['Value']
        self.assertEqual(base64.b64decode(found), data)
        self.a.terminate_instances(InstanceIds=[i])


# ---- Finding -------------------------------------------------------------------------------------------


class Finding(Cloud):
    def found(self, *filters):
        reply = self.a.describe_instances(Filters=[{'Name': n, 'Values': v} for n, v in filters])
        return {i['InstanceId'] for r in reply['Reservations'] for i in r['Instances']}

    def test_filters_with_wildcards_tags_and_states(self):
        name = unique('web')
        i = self.launched('a', TagSpecifications=[{'ResourceType': 'instance', 'Tags': [
            {'Key': 'Name', 'Value': name}, {'Key': 'empty', 'Value': ''}]}])[0]
        self.assertEqual(self.found(('tag:Name', [name])), {i})
        self.assertEqual(self.found(('tag:Name', [name[:-1] + '?'])), {i})
        self.assertEqual(self.found(('tag:Name', ['web*' + name[-4:]])), {i})
        self.assertEqual(self.found(('tag:Name', ['nothing', name])), {i})
        self.assertEqual(self.found(('tag:Name', [name]), ('image-id', ['ami-nothing*'])), set())
        self.assertEqual(self.found(('tag:Name', [name.upper()])), set())
        self.assertEqual(self.found(('tag:Name', [name]), ('tag:empty', [''])), {i})
        self.assertIn(i, self.found(('tag-key', ['Nam?']), ('instance-type', [self.type])))
        self.assertIn(i, self.found(('instance-state-name', ['pending', 'running'])))
        self.assertNotIn(i, self.found(('instance-state-name', ['terminated'])))
        message = self.refused('InvalidParameterValue', self.a.describe_instances, Filters=[{'Name': 'spam', 'Values': ['x']}])
        self.assertEqual(message, "The filter 'spam' is invalid")
        self.a.terminate_instances(InstanceIds=[i])

    def test_paginators_give_everything_once(self):
        mark = unique('page')
        ids = self.launched('a', 6, TagSpecifications=[{'ResourceType': 'instance', 'Tags': [{'Key': 'page', 'Value': mark}]}])
        pages = self.a.get_paginator('describe_instances').paginate(
            Filters=[{'Name': 'tag:page', 'Values': [mark]}], PaginationConfig={'PageSize': 5})
        pages = [[i['InstanceId'] for r in p['Reservations'] for i in r['Instances']] for p in pages]
        self.assertEqual([len(p) for p in pages], [5, 1])
        self.assertEqual(sorted(sum(pages, [])), sorted(ids))
        for name, key in (('describe_instance_types', 'InstanceTypes'), ('describe_tags', 'Tags'),
                          ('describe_instance_type_offerings', 'InstanceTypeOfferings')):
            whole = getattr(self.a, name)()[key]
            paged = [x for p in self.a.get_paginator(name).paginate(PaginationConfig={'PageSize': 5}) for x in p[key]]
            # Tags of instances that other tests make and end may come and go in between.
            if key != 'Tags':
                self.assertEqual(paged, whole, name)
            self.assertEqual(len({json.dumps(x, default=str, sort_keys=True) for x in paged}), len(paged), name)
        status = self.a.get_paginator('describe_instance_status').paginate(
            IncludeAllInstances=True, Filters=[{'Name': 'tag:page', 'Values': [mark]}], PaginationConfig={'PageSize': 5})
        self.assertEqual(sorted(s['InstanceId'] for p in status for s in p['InstanceStatuses']), sorted(ids))
        self.a.terminate_instances(InstanceIds=ids)

    def test_page_rules(self):
        self.refused('InvalidParameterValue', self.a.describe_instances, MaxResults=4)
        self.refused('InvalidParameterValue', self.a.describe_instances, MaxResults=1001)
        self.refused('InvalidParameterCombination', self.a.describe_instances, MaxResults=5, InstanceIds=[self.own])
        self.refused('InvalidNextToken', self.a.describe_instances, MaxResults=5, NextToken='spam')

    def test_types_offerings_images_regions_zones_and_account(self):
        one = self.a.describe_instance_types(InstanceTypes=[self.type])['InstanceTypes'][0]
        for field in ('VCpuInfo', 'MemoryInfo', 'NetworkInfo', 'EbsInfo', 'ProcessorInfo', 'BurstablePerformanceSupported',
                      'CurrentGeneration', 'Hypervisor', 'BareMetal', 'SupportedVirtualizationTypes'):
            self.assertIn(field, one)
        self.refused('InvalidInstanceType', self.a.describe_instance_types, InstanceTypes=['spam.large'])
        zones = self.a.describe_availability_zones()['AvailabilityZones']
        self.assertTrue(all(z['State'] == 'available' and z['ZoneId'] and z['RegionName'] == OPTIONS.region for z in zones))
        self.refused('InvalidParameterValue', self.a.describe_availability_zones, ZoneNames=['mars-1a'])
        offered = self.a.describe_instance_type_offerings(
            LocationType='availability-zone', Filters=[{'Name': 'instance-type', 'Values': [self.type]}])['InstanceTypeOfferings']
        self.assertLessEqual({o['Location'] for o in offered}, {z['ZoneName'] for z in zones})
        self.assertEqual([r['RegionName'] for r in self.a.describe_regions()['Regions']], [OPTIONS.region])
        self.refused('InvalidParameterValue', self.a.describe_regions, RegionNames=['mars-1'])
        image = self.a.describe_images(ImageIds=[self.image])['Images'][0]
        self.assertEqual((image['State'], image['VirtualizationType'], image['RootDeviceType']), ('available', 'hvm', 'ebs'))
        self.assertEqual(image['RootDeviceName'], image['BlockDeviceMappings'][0]['DeviceName'])
        attributes = {a['AttributeName'] for a in self.a.describe_account_attributes()['AccountAttributes']}
        self.assertLessEqual({'supported-platforms', 'default-vpc', 'max-instances'}, attributes)
        who = client('BERTH_KEY_A', 'sts').get_caller_identity()
        self.assertRegex(who['Account'], r'^\d{12}$')
        self.assertEqual(who['Arn'], f"arn:aws:iam::{who['Account']}:root")


# ---- Tags and keys -------------------------------------------------------------------------------------


class TagsAndKeys(Cloud):
    def tags(self, resource):
        found = self.a.describe_tags(Filters=[{'Name': 'resource-id', 'Values': [resource]}])['Tags']
        return {t['Key']: t['Value'] for t in found}

    def test_tags_are_made_overwritten_and_deleted(self):
        i = self.own
        self.a.create_tags(Resources=[i], Tags=[{'Key': 'a', 'Value': '1'}, {'Key': 'b', 'Value': '<&>"'}, {'Key': 'c', 'Value': ''}])
        self.a.create_tags(Resources=[i], Tags=[{'Key': 'a', 'Value': '2'}])
        self.assertEqual(self.tags(i), {**self.tags(i), 'a': '2', 'b': '<&>"', 'c': ''})
        self.a.delete_tags(Resources=[i], Tags=[{'Key': 'a', 'Value': 'another'}, {'Key': 'b'}, {'Key': 'c', 'Value': ''}])
        self.assertEqual(self.tags(i), {'a': '2'})
        self.a.delete_tags(Resources=[i])
        self.assertEqual(self.tags(i), {})
        self.assertNotIn('Tags', self.described(i))

    def test_tag_limits(self):
        many = [{'Key': f'k{n}', 'Value': 'x'} for n in range(51)]
        self.refused('TagLimitExceeded', self.a.create_tags, Resources=[self.own], Tags=many)
        self.refused('InvalidParameterValue', self.a.create_tags, Resources=[self.own], Tags=[{'Key': 'aws:x', 'Value': 'x'}])
        self.refused('InvalidID', self.a.create_tags, Resources=['spam'], Tags=[{'Key': 'a', 'Value': 'x'}])
        self.refused('MissingParameter', self.a.create_tags, Resources=[self.own], Tags=[])
        # All or nothing.
        self.refused('InvalidInstanceID.NotFound', self.a.create_tags, Resources=[self.own, ABSENT['i']], Tags=[{'Key': 'half', 'Value': 'x'}])
        self.assertNotIn('half', self.tags(self.own))

    def test_a_made_key_pair_is_one_that_ssh_reads(self):
        for kind, head in (('rsa', 'RSA PRIVATE KEY'), ('ed25519', 'OPENSSH PRIVATE KEY')):
            name = unique('key')
            made = self.a.create_key_pair(KeyName=name, KeyType=kind)
            self.assertIn(f'-----BEGIN {head}-----', made['KeyMaterial'])
            with tempfile.NamedTemporaryFile('w') as f:
                os.chmod(f.name, 0o600)
                f.write(made['KeyMaterial'])
                f.flush()
                public = subprocess.run(['ssh-keygen', '-y', '-f', f.name], check=True, capture_output=True, text=True).stdout
                if kind == 'rsa':
                    der = subprocess.run(['openssl', 'pkcs8', '-in', f.name, '-topk8', '-nocrypt', '-outform', 'DER'], check=True, capture_output=True).stdout
                    digest = subprocess.run(['openssl', 'sha1', '-c'], input=der, check=True, capture_output=True).stdout.decode()
                    self.assertIn(made['KeyFingerprint'], digest)
            shown = self.a.describe_key_pairs(KeyNames=[name], IncludePublicKey=True)['KeyPairs'][0]
            self.assertEqual(shown['PublicKey'].split()[:2], public.split()[:2])
            self.assertEqual((shown['KeyPairId'], shown['KeyFingerprint'], shown['KeyType']), (made['KeyPairId'], made['KeyFingerprint'], kind))
            self.refused('InvalidKeyPair.Duplicate', self.a.create_key_pair, KeyName=name)
            self.a.delete_key_pair(KeyPairId=made['KeyPairId'])
            self.refused('InvalidKeyPair.NotFound', self.a.describe_key_pairs, KeyNames=[name])
            self.assertIsNone(refusal(self.a.delete_key_pair, KeyName=name))

    def test_an_imported_key_pair_is_found_by_name_id_and_filter(self):
        name = unique('key')
        made = self.a.import_key_pair(KeyName=name, PublicKeyMaterial=ED25519.encode(), TagSpecifications=[
            {'ResourceType': 'key-pair', 'Tags': [{'Key': 'team', 'Value': name}]}])
        self.assertEqual(made['KeyFingerprint'], ED25519_FINGERPRINT)
        for how in ({'KeyNames': [name]}, {'KeyPairIds': [made['KeyPairId']]}, {'Filters': [{'Name': 'tag:team', 'Values': [name]}]}):
            found = self.a.describe_key_pairs(**how)['KeyPairs']
            self.assertEqual([k['KeyName'] for k in found], [name])
        self.a.get_waiter('key_pair_exists').wait(KeyNames=[name], WaiterConfig={'Delay': 1})
        i = self.launched('a', KeyName=name)[0]
        self.assertEqual(self.described(i)['KeyName'], name)
        self.a.terminate_instances(InstanceIds=[i])
        self.a.delete_key_pair(KeyName=name)
        self.refused('InvalidKey.Format', self.a.import_key_pair, KeyName=name, PublicKeyMaterial=b'spam')


# ---- Refusals ------------------------------------------------------------------------------------------


class Refusals(Cloud):
    def launch_refused(self, code, status=400, **more):
        arguments = {'ImageId': self.image, 'InstanceType': self.type, 'MinCount': 1, 'MaxCount': 1, **more}
        return self.refused(code, self.a.run_instances, status, **arguments)

    def test_launches_that_cannot_be(self):
        self.launch_refused('InvalidAMIID.Malformed', ImageId='spam')
        self.assertEqual(self.launch_refused('InvalidAMIID.NotFound', ImageId=ABSENT['ami']),
                         f"The image id '[{ABSENT['ami']}]' does not exist")
        self.launch_refused('InvalidParameterValue', InstanceType='spam.large')
        self.launch_refused('InvalidKeyPair.NotFound', KeyName='no-such-key')
        self.launch_refused('InvalidParameterValue', Placement={'AvailabilityZone': 'mars-1a'})
        self.launch_refused('InvalidParameterValue', MinCount=2, MaxCount=1)
        self.launch_refused('InvalidParameterValue', MinCount=0, MaxCount=0)
        self.launch_refused('InstanceLimitExceeded', MinCount=1001, MaxCount=1001)
        self.launch_refused('InvalidParameterValue', ClientToken='x' * 65)
        self.launch_refused('InvalidUserData.Malformed', UserData='x' * 17_000)
        self.launch_refused('InvalidBlockDeviceMapping', BlockDeviceMappings=[{'DeviceName': '/dev/sda1', 'Ebs': {'VolumeSize': 100_000}}])
        self.launch_refused('InvalidParameterValue', TagSpecifications=[{'ResourceType': 'volume', 'Tags': [{'Key': 'a', 'Value': 'b'}]}])
        for parameter, value in (('SubnetId', 'subnet-1'), ('SecurityGroupIds', ['sg-1']), ('IamInstanceProfile', {'Name': 'x'}),
                                 ('InstanceMarketOptions', {'MarketType': 'spot'})):
            self.launch_refused('UnsupportedOperation', **{parameter: value})

    def test_quotas_are_not_retried_and_capacity_is(self):
        sold = {t['InstanceType'] for t in self.a.describe_instance_types()['InstanceTypes']}
        # Against the quota every tenant begins with, and hosts smaller than 512 GiB.
        self.launch_refused('InstanceLimitExceeded', MinCount=1000, MaxCount=1000)
        for name, count, code, status in (('m5.24xlarge', 5, 'VcpuLimitExceeded', 400), ('x1e.32xlarge', 1, 'ResourceLimitExceeded', 400),
                                          ('r5.16xlarge', 1, 'InsufficientInstanceCapacity', 500)):
            with self.subTest(name):
                if name not in sold:
                    self.skipTest(f'{name} is not sold here')
                self.launch_refused(code, status, InstanceType=name, MinCount=count, MaxCount=count)
        self.launch_refused('VolumeLimitExceeded', BlockDeviceMappings=[{'DeviceName': '/dev/sda1', 'Ebs': {'VolumeSize': 16_384}}])

    def test_empty_values_are_absent_ones(self):
        i = self.launched('a', SubnetId='', Placement={'AvailabilityZone': ''}, IamInstanceProfile={'Name': ''})
        self.a.terminate_instances(InstanceIds=i)

    def test_ids_that_are_none(self):
        for call in (self.a.start_instances, self.a.stop_instances, self.a.reboot_instances, self.a.terminate_instances, self.a.describe_instances):
            self.assertIn('spam', self.refused('InvalidInstanceID.Malformed', call, InstanceIds=['spam']))
            self.assertEqual(self.refused('InvalidInstanceID.NotFound', call, InstanceIds=[ABSENT['i']]),
                             f"The instance ID '{ABSENT['i']}' does not exist")
        for call in (self.a.start_instances, self.a.stop_instances, self.a.reboot_instances, self.a.terminate_instances):
            self.assertEqual(self.refused('InvalidParameterCombination', call, InstanceIds=[]), 'No instances specified')
        # One bad id stops the whole batch.
        self.refused('InvalidInstanceID.NotFound', self.a.terminate_instances, InstanceIds=[self.own, ABSENT['i']])
        self.assertNotIn(self.described(self.own)['State']['Name'], ('shutting-down', 'terminated'))

    def test_actions_and_parameters_that_are_none(self):
        self.refused('InvalidAction', self.a.describe_vpcs)

        def spam(params, **_):
            params['body']['Spam'] = '1'
        other = client('BERTH_KEY_A')
        other.meta.events.register('before-call.ec2.DescribeRegions', spam)
        self.refused('UnknownParameter', other.describe_regions)

        def future(params, **_):
            params['body']['Version'] = '2099-01-01'
        other = client('BERTH_KEY_A')
        other.meta.events.register('before-call.ec2.DescribeRegions', future)
        self.refused('NoSuchVersion', other.describe_regions)

        def nameless(params, **_):
            del params['body']['Action']
        other = client('BERTH_KEY_A')
        other.meta.events.register('before-call.ec2.DescribeRegions', nameless)
        self.refused('MissingAction', other.describe_regions)

    def test_who_is_not_known_is_told_only_that(self):
        identity, secret = os.environ['BERTH_KEY_A'].split(':', 1)
        found = set()
        for key in (f'{identity}:wrong', f'AKIAAAAAAAAAAAAAAAAA:{secret}'):
            os.environ['BERTH_KEY_WRONG'] = key
            found.add(refusal(client('BERTH_KEY_WRONG').describe_instances))
            found.add(refusal(client('BERTH_KEY_WRONG').terminate_instances, InstanceIds=[self.own]))
        self.assertEqual({f[:2] for f in found}, {('AuthFailure', 401)})
        self.assertEqual(len(found), 1)
        unsigned = client('BERTH_KEY_A', signature_version=botocore.UNSIGNED)
        self.refused('MissingAuthenticationToken', unsigned.describe_regions)

    def sent(self, hours=0, **header):
        """Status and body of a DescribeRegions that botocore's own signer signs, some hours from now."""
        class Then(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return datetime.datetime.utcnow() + datetime.timedelta(hours=hours)
        identity, secret = os.environ['BERTH_KEY_A'].split(':', 1)
        request = botocore.awsrequest.AWSRequest('POST', os.environ['BERTH_ENDPOINT'] + '/', data='Action=DescribeRegions&Version=2016-11-15',
                                                 headers={'Content-Type': 'application/x-www-form-urlencoded'})
        real = botocore.auth.datetime
        try:
            botocore.auth.datetime = type('module', (), {'datetime': Then})
            botocore.auth.SigV4Auth(botocore.credentials.Credentials(identity, secret), 'ec2', OPTIONS.region).add_auth(request)
        finally:
            botocore.auth.datetime = real
        for name, value in header.items():
            request.headers.replace_header(name, value)
        verify = os.environ.get('AWS_CA_BUNDLE', True)
        answer = botocore.httpsession.URLLib3Session(verify=verify).send(request.prepare())
        return answer.status_code, answer.text

    def test_a_signature_from_another_hour_has_expired(self):
        self.assertEqual(self.sent()[0], 200)
        for hours in (-1, 1):
            status, body = self.sent(hours)
            self.assertEqual(status, 400)
            self.assertIn('<Code>RequestExpired</Code>', body)

    def test_a_presigned_url_works_only_where_it_is_turned_on(self):
        url = client('BERTH_KEY_A').generate_presigned_url('describe_regions', HttpMethod='GET')
        request = botocore.awsrequest.AWSRequest('GET', url).prepare()
        answer = botocore.httpsession.URLLib3Session(verify=os.environ.get('AWS_CA_BUNDLE', True)).send(request)
        self.assertEqual(answer.status_code == 200, OPTIONS.presigned, answer.text)
        if OPTIONS.presigned:
            self.assertIn(f'<regionName>{OPTIONS.region}</regionName>', answer.text)
            answer = botocore.httpsession.URLLib3Session(verify=os.environ.get('AWS_CA_BUNDLE', True)).send(
                botocore.awsrequest.AWSRequest('GET', url.replace('Action=DescribeRegions', 'Action=DescribeTags')).prepare())
            self.assertIn('<Code>AuthFailure</Code>', answer.text)

    def test_a_cut_signature_is_incomplete(self):
        status, body = self.sent(Authorization='AWS4-HMAC-SHA256 Credential=spam')
        self.assertEqual(status, 400)
        self.assertIn('<Code>IncompleteSignature</Code>', body)


# ---- The CLI ---------------------------------------------------------------------------------------------


class Cli(Cloud):
    def aws(self, *words, service='ec2', expect=0):
        identity, secret = os.environ['BERTH_KEY_A'].split(':', 1)
        env = {**os.environ, 'AWS_ACCESS_KEY_ID': identity, 'AWS_SECRET_ACCESS_KEY': secret, 'AWS_DEFAULT_REGION': OPTIONS.region,
               'AWS_PAGER': '', 'AWS_MAX_ATTEMPTS': '1', 'AWS_CONFIG_FILE': os.devnull, 'AWS_SHARED_CREDENTIALS_FILE': os.devnull}
        done = subprocess.run([OPTIONS.cli, service, *words, '--endpoint-url', os.environ['BERTH_ENDPOINT'], '--output', 'json'],
                              env=env, capture_output=True, text=True, timeout=OPTIONS.wait)
        self.assertEqual(done.returncode == 0, expect == 0, done.stderr)
        if expect:
            return done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def setUp(self):
        if not OPTIONS.cli:
            self.skipTest('--cli is empty')

    def test_the_cli_runs_finds_tags_and_ends_an_instance(self):
        name = unique('cli')
        made = self.aws('run-instances', '--image-id', self.image, '--instance-type', self.type, '--count', '1',
                        '--tag-specifications', f'ResourceType=instance,Tags=[{{Key=Name,Value={name}}}]')
        i = made['Instances'][0]['InstanceId']
        self.made['a'].append(i)
        self.aws('wait', 'instance-exists', '--instance-ids', i)
        found = self.aws('describe-instances', '--filters', f'Name=tag:Name,Values={name}')
        self.assertEqual(found['Reservations'][0]['Instances'][0]['InstanceId'], i)
        self.aws('create-tags', '--resources', i, '--tags', 'Key=a,Value=b')
        tags = self.aws('describe-tags', '--filters', f'Name=resource-id,Values={i}')['Tags']
        self.assertEqual({t['Key'] for t in tags}, {'Name', 'a'})
        self.aws('get-console-output', '--instance-id', i)
        self.assertEqual(self.aws('terminate-instances', '--instance-ids', i)['TerminatingInstances'][0]['CurrentState']['Name'], 'shutting-down')

    def test_the_cli_lists_what_there_is(self):
        self.assertTrue(self.aws('describe-instance-types', '--instance-types', self.type)['InstanceTypes'])
        self.assertTrue(self.aws('describe-images', '--image-ids', self.image)['Images'])
        self.assertTrue(self.aws('describe-availability-zones')['AvailabilityZones'])
        self.assertTrue(self.aws('describe-regions')['Regions'])
        self.assertEqual(self.aws('describe-instances', '--page-size', '5')['Reservations'] != [], True)
        self.assertRegex(self.aws('get-caller-identity', service='sts')['Account'], r'^\d{12}$')

    def test_the_cli_launches_from_a_template(self):
        name = unique('cli')
        self.aws('create-launch-template', '--launch-template-name', name, '--version-description', 'by the cli', '--launch-template-data',
                 json.dumps({'ImageId': self.image, 'InstanceType': self.type, 'UserData': base64.b64encode(b'#!/bin/sh\n').decode()}))
        self.addCleanup(self.aws, 'delete-launch-template', '--launch-template-name', name)
        version = self.aws('describe-launch-template-versions', '--launch-template-name', name)['LaunchTemplateVersions'][0]
        self.assertEqual((version['VersionDescription'], version['LaunchTemplateData']['InstanceType']), ('by the cli', self.type))
        i = self.aws('run-instances', '--launch-template', f'LaunchTemplateName={name},Version=$Latest')['Instances'][0]['InstanceId']
        self.made['a'].append(i)
        tags = self.aws('describe-tags', '--filters', f'Name=resource-id,Values={i}')['Tags']
        self.assertEqual({t['Key']: t['Value'] for t in tags}['aws:ec2launchtemplate:id'], version['LaunchTemplateId'])
        self.aws('terminate-instances', '--instance-ids', i)

    def test_the_cli_launches_into_a_placement_group(self):
        name = unique('cli')
        made = self.aws('create-placement-group', '--group-name', name, '--strategy', 'partition', '--partition-count', '2')['PlacementGroup']
        self.assertEqual(self.aws('describe-placement-groups', '--group-names', name)['PlacementGroups'], [made])
        i = self.aws('run-instances', '--image-id', self.image, '--instance-type', self.type,
                     '--placement', f'GroupName={name},PartitionNumber=2')['Instances'][0]
        self.made['a'].append(i['InstanceId'])
        self.assertEqual((i['Placement']['GroupName'], i['Placement']['PartitionNumber']), (name, 2))
        self.assertIn('(InvalidPlacementGroup.InUse)', self.aws('delete-placement-group', '--group-name', name, expect=1))
        self.aws('terminate-instances', '--instance-ids', i['InstanceId'])
        self.aws('wait', 'instance-terminated', '--instance-ids', i['InstanceId'])
        self.aws('delete-placement-group', '--group-name', name)

    def test_the_cli_shows_our_errors(self):
        self.assertIn('(InvalidInstanceID.NotFound)', self.aws('stop-instances', '--instance-ids', ABSENT['i'], expect=1))
        self.assertIn('(DryRunOperation)', self.aws('reboot-instances', '--instance-ids', self.own, '--dry-run', expect=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--guests', choices=('real', 'fake'), default='real')
    parser.add_argument('--image', default='')
    parser.add_argument('--foreign_image', default=os.environ.get('BERTH_FOREIGN_IMAGE', ''), help="a private image of tenant B's, for the matrix")
    parser.add_argument('--type', default='')
    parser.add_argument('--region', default='us-east-1')
    parser.add_argument('--presigned', action='store_true', help='the endpoint takes presigned URLs')
    parser.add_argument('--wait', type=int, default=180)
    parser.add_argument('--cli', default='/usr/bin/aws')
    _, rest = parser.parse_known_args(namespace=OPTIONS)
    for name in ('BERTH_ENDPOINT', 'BERTH_KEY_A', 'BERTH_KEY_B'):
        if name not in os.environ:
            parser.error(f'the environment must have {name}')
    # botocore leaves its connections to the collector, which warns.
    unittest.main(warnings='ignore', argv=[sys.argv[0], *[r for r in rest if r != '--']], verbosity=2)


if __name__ == '__main__':
    main()
