"""Every action of the EC2 API: its dry run, and somebody else's id against nobody's. Run by ec2_clients.py."""

import json

import botocore
import botocore.exceptions

from support.ec2 import ABSENT, ED25519, OPTIONS, ROOT, Cloud, unique

TEMPLATE = {'LaunchTemplateId': 'lt', 'LaunchTemplateName': 'ltname'}
# Action -> (arguments that succeed with our own things, {id parameter: kind of id}).
MATRIX = {
    'RunInstances': (lambda c: {'ImageId': c.image, 'InstanceType': c.type, 'MinCount': 1, 'MaxCount': 1}, {'KeyName': 'name', 'ImageId': 'ami', 'LaunchTemplate': 'spec', 'Placement': 'pg'}),
    'DescribeInstances': (lambda c: {}, {'InstanceIds': 'i'}),
    'DescribeInstanceStatus': (lambda c: {}, {'InstanceIds': 'i'}),
    'DescribeInstanceAttribute': (lambda c: {'InstanceId': c.own, 'Attribute': 'userData'}, {'InstanceId': 'i'}),
    'ModifyInstanceAttribute': (lambda c: {'InstanceId': c.own, 'DisableApiTermination': {'Value': True}}, {'InstanceId': 'i'}),
    'StartInstances': (lambda c: {'InstanceIds': [c.own]}, {'InstanceIds': 'i'}),
    'StopInstances': (lambda c: {'InstanceIds': [c.own]}, {'InstanceIds': 'i'}),
    'RebootInstances': (lambda c: {'InstanceIds': [c.own]}, {'InstanceIds': 'i'}),
    'TerminateInstances': (lambda c: {'InstanceIds': [c.own]}, {'InstanceIds': 'i'}),
    'GetConsoleOutput': (lambda c: {'InstanceId': c.own}, {'InstanceId': 'i'}),
    'DescribeInstanceTypes': (lambda c: {}, {}),
    'DescribeInstanceTypeOfferings': (lambda c: {}, {}),
    'DescribeImages': (lambda c: {}, {'ImageIds': 'ami'}),
    'DescribeRegions': (lambda c: {}, {}),
    'DescribeAvailabilityZones': (lambda c: {}, {}),
    'CreateKeyPair': (lambda c: {'KeyName': 'matrix'}, {}),
    'ImportKeyPair': (lambda c: {'KeyName': 'matrix', 'PublicKeyMaterial': ED25519.encode()}, {}),
    'DescribeKeyPairs': (lambda c: {}, {'KeyNames': 'name', 'KeyPairIds': 'key'}),
    'DeleteKeyPair': (lambda c: {'KeyName': 'matrix'}, {'KeyName': 'name', 'KeyPairId': 'key'}),
    'CreateTags': (lambda c: {'Resources': [c.own], 'Tags': [{'Key': 'matrix', 'Value': 'x'}]}, {'Resources': 'i key ami lt pg'}),
    'DeleteTags': (lambda c: {'Resources': [c.own]}, {'Resources': 'i key ami lt pg'}),
    'DescribeTags': (lambda c: {}, {}),
    'CreateLaunchTemplate': (lambda c: {'LaunchTemplateName': 'matrix-new', 'LaunchTemplateData': {'ImageId': c.image}}, {}),
    'CreateLaunchTemplateVersion': (lambda c: {'LaunchTemplateName': c.own_template, 'LaunchTemplateData': {'ImageId': c.image}}, TEMPLATE),
    'DescribeLaunchTemplates': (lambda c: {}, {'LaunchTemplateIds': 'lt', 'LaunchTemplateNames': 'ltname'}),
    'DescribeLaunchTemplateVersions': (lambda c: {'LaunchTemplateName': c.own_template}, TEMPLATE),
    'ModifyLaunchTemplate': (lambda c: {'LaunchTemplateName': c.own_template, 'DefaultVersion': '2'}, TEMPLATE),
    'DeleteLaunchTemplate': (lambda c: {'LaunchTemplateName': c.own_template}, TEMPLATE),
    'DeleteLaunchTemplateVersions': (lambda c: {'LaunchTemplateName': c.own_template, 'Versions': ['2']}, TEMPLATE),
    'CreatePlacementGroup': (lambda c: {'GroupName': 'matrix-new', 'Strategy': 'spread'}, {}),
    'DescribePlacementGroups': (lambda c: {}, {'GroupIds': 'pg', 'GroupNames': 'pgname'}),
    'DeletePlacementGroup': (lambda c: {'GroupName': c.own_group}, {'GroupName': 'pgname'}),
    'DescribeAccountAttributes': (lambda c: {}, {}),
    'GetCallerIdentity': (lambda c: {}, {}),
}


def method(action):
    return botocore.xform_name(action)


class Matrix(Cloud):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign_key = unique('foreign')
        cls.foreign_key_id = cls.b.import_key_pair(KeyName=cls.foreign_key, PublicKeyMaterial=ED25519.encode())['KeyPairId']
        cls.own_template, cls.foreign_template = unique('own'), unique('foreign')
        cls.a.create_launch_template(LaunchTemplateName=cls.own_template, LaunchTemplateData={'ImageId': cls.image})
        cls.a.create_launch_template_version(LaunchTemplateName=cls.own_template, LaunchTemplateData={'ImageId': cls.image})
        cls.foreign_template_id = cls.b.create_launch_template(
            LaunchTemplateName=cls.foreign_template, LaunchTemplateData={'ImageId': cls.image})['LaunchTemplate']['LaunchTemplateId']
        cls.own_group, cls.foreign_group = unique('own'), unique('foreign')
        cls.a.create_placement_group(GroupName=cls.own_group, Strategy='spread')
        cls.foreign_group_id = cls.b.create_placement_group(GroupName=cls.foreign_group, Strategy='spread')['PlacementGroup']['GroupId']
        cls.b.create_tags(Resources=[cls.foreign, cls.foreign_key_id, cls.foreign_template_id, cls.foreign_group_id], Tags=[{'Key': 'secret-of-b', 'Value': 'x'}])

    @classmethod
    def tearDownClass(cls):
        cls.b.delete_key_pair(KeyName=cls.foreign_key)
        cls.b.delete_launch_template(LaunchTemplateName=cls.foreign_template)
        cls.a.delete_launch_template(LaunchTemplateName=cls.own_template)
        cls.a.delete_placement_group(GroupName=cls.own_group)
        cls.b.delete_placement_group(GroupName=cls.foreign_group)

    def test_every_action_that_is_served_has_a_row(self):
        served = {line.split('#')[0].strip().split(':')[-1] for line in (ROOT / 'daemon/ec2/wire/actions.txt').read_text().splitlines()}
        self.assertEqual(served - {''}, set(MATRIX))

    def snapshot(self):
        """Everything of both tenants that calls could change."""
        out = []
        for ec2 in (self.a, self.b):
            instances = [i for r in ec2.describe_instances()['Reservations'] for i in r['Instances']]
            out.append(sorted(i['InstanceId'] for i in instances))
            out.append(sorted(k['KeyPairId'] for k in ec2.describe_key_pairs()['KeyPairs']))
            out.append(sorted((t['LaunchTemplateId'], t['DefaultVersionNumber'], t['LatestVersionNumber'])
                              for t in ec2.describe_launch_templates()['LaunchTemplates']))
            out.append(sorted(g['GroupId'] for g in ec2.describe_placement_groups()['PlacementGroups']))
            out.append(sorted((t['ResourceId'], t['Key'], t['Value']) for t in ec2.describe_tags()['Tags']))
        for ec2, i in ((self.a, self.own), (self.b, self.foreign)):
            out.append(ec2.describe_instance_attribute(InstanceId=i, Attribute='disableApiTermination')['DisableApiTermination'])
            out.append(self.described(i, ec2)['State'])
        return out

    def test_a_dry_run_of_every_action_changes_nothing(self):
        self.wait('instance_running', [self.own])
        Cloud.b.get_waiter('instance_running').wait(InstanceIds=[self.foreign], WaiterConfig={'Delay': 1, 'MaxAttempts': OPTIONS.wait})
        before = self.snapshot()
        for action, (arguments, _) in MATRIX.items():
            if action == 'GetCallerIdentity':
                continue  # STS has no dry run
            with self.subTest(action):
                message = self.refused('DryRunOperation', getattr(self.a, method(action)), 412, DryRun=True, **arguments(self))
                self.assertEqual(message, 'Request would have succeeded, but DryRun flag is set.')
        self.assertEqual(self.snapshot(), before)

    def test_a_dry_run_of_what_would_fail_says_how(self):
        self.refused('InvalidInstanceID.NotFound', self.a.terminate_instances, InstanceIds=[ABSENT['i']], DryRun=True)
        self.refused('InvalidAMIID.NotFound', self.a.run_instances, ImageId=ABSENT['ami'], InstanceType=self.type, MinCount=1, MaxCount=1, DryRun=True)

    def test_a_foreign_id_is_an_absent_one_for_every_action_and_id_parameter(self):
        Cloud.b.get_waiter('instance_running').wait(InstanceIds=[self.foreign], WaiterConfig={'Delay': 1, 'MaxAttempts': OPTIONS.wait})
        foreign = {'i': self.foreign, 'name': self.foreign_key, 'key': self.foreign_key_id, 'ami': OPTIONS.foreign_image,
                   'lt': self.foreign_template_id, 'ltname': self.foreign_template, 'spec': self.foreign_template,
                   'pg': self.foreign_group_id, 'pgname': self.foreign_group}
        absent = {**ABSENT, 'name': unique('foreign')}
        absent['ltname'] = absent['spec'] = absent['pgname'] = unique('foreign')
        before = self.snapshot()
        for action, (arguments, parameters) in MATRIX.items():
            call = getattr(self.a, method(action)) if action != 'GetCallerIdentity' else None
            for parameter, kinds in parameters.items():
                for kind in kinds.split():
                    if not foreign[kind]:
                        continue
                    with self.subTest(action, parameter=parameter, kind=kind):
                        self.assertEqual(*(self.outcome(call, arguments(self), parameter, ids[kind]) for ids in (foreign, absent)))
        self.assertEqual(self.snapshot(), before)

    def outcome(self, call, arguments, parameter, value):
        is_list = parameter.endswith('s')
        arguments = {**arguments, parameter: [value] if is_list else value}
        if parameter == 'LaunchTemplate':
            arguments[parameter] = {'LaunchTemplateName': value}
        elif parameter == 'Placement':
            arguments[parameter] = {'GroupId': value}
        elif parameter == 'LaunchTemplateId':
            del arguments['LaunchTemplateName']
        if 'KeyPairId' in parameter or 'KeyName' in parameter and 'ImageId' not in arguments:
            arguments = {parameter: arguments[parameter]}
        try:
            reply = call(**arguments)
        except botocore.exceptions.ClientError as e:
            reply = {**e.response['Error'], 'Status': e.response['ResponseMetadata']['HTTPStatusCode']}
        reply.pop('ResponseMetadata', None)
        return json.dumps(reply, default=str, sort_keys=True).replace(value, 'THE-ID')

    def test_no_list_shows_anything_of_another_tenant(self):
        seen = json.dumps([self.a.describe_instances(), self.a.describe_instance_status(IncludeAllInstances=True),
                           self.a.describe_key_pairs(), self.a.describe_tags(), self.a.describe_images(),
                           self.a.describe_launch_templates(), self.a.describe_launch_template_versions(Versions=['$Latest']),
                           self.a.describe_placement_groups()], default=str)
        for thing in (self.foreign, self.foreign_key, self.foreign_key_id, self.foreign_template, self.foreign_group, 'secret-of-b'):
            self.assertNotIn(thing, seen)
        for filters in ([{'Name': 'instance-id', 'Values': [self.foreign, 'i-*']}], [{'Name': 'tag-key', 'Values': ['secret-of-b']}]):
            found = [i['InstanceId'] for r in self.a.describe_instances(Filters=filters)['Reservations'] for i in r['Instances']]
            self.assertNotIn(self.foreign, found)
