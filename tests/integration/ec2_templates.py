"""Launch templates as boto3 sees them. Run by ec2_clients.py."""

import base64

from support.ec2 import ABSENT, Cloud, unique


class Templates(Cloud):
    def created(self, **data):
        """The name and the answer of a new template, which goes with the test."""
        name = unique('web')
        made = self.a.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={'ImageId': self.image, **data})['LaunchTemplate']
        self.addCleanup(self.a.delete_launch_template, LaunchTemplateName=name)
        return name, made

    def from_template(self, name, version=None, **more):
        spec = {'LaunchTemplateName': name, **({'Version': version} if version else {})}
        reply = self.a.run_instances(LaunchTemplate=spec, MinCount=1, MaxCount=1, **more)
        i = reply['Instances'][0]['InstanceId']
        self.made['a'].append(i)
        self.addCleanup(self.a.terminate_instances, InstanceIds=[i])
        return self.described(i)

    def test_a_version_is_shown_as_it_was_asked_for(self):
        data = {'ImageId': self.image, 'InstanceType': self.type, 'KeyName': 'any', 'UserData': base64.b64encode(bytes(range(256))).decode(),
                'EbsOptimized': False, 'DisableApiTermination': True, 'InstanceInitiatedShutdownBehavior': 'stop',
                'Monitoring': {'Enabled': True}, 'Placement': {'AvailabilityZone': 'us-east-1a', 'Tenancy': 'default'},
                'BlockDeviceMappings': [{'DeviceName': '/dev/sda1', 'Ebs': {'VolumeSize': 9, 'VolumeType': 'gp3', 'DeleteOnTermination': True}}],
                'NetworkInterfaces': [{'DeviceIndex': 0, 'AssociatePublicIpAddress': False}],
                'TagSpecifications': [{'ResourceType': 'instance', 'Tags': [{'Key': 'Name', 'Value': 'a & b'}, {'Key': 'empty', 'Value': ''}]}],
                'MetadataOptions': {'HttpTokens': 'required', 'HttpPutResponseHopLimit': 2}, 'CreditSpecification': {'CpuCredits': 'standard'}}
        name, made = self.created(**data)
        self.assertRegex(made['LaunchTemplateId'], r'^lt-[0-9a-f]{17}$')
        self.assertEqual((made['DefaultVersionNumber'], made['LatestVersionNumber']), (1, 1))
        version = self.a.describe_launch_template_versions(LaunchTemplateId=made['LaunchTemplateId'])['LaunchTemplateVersions'][0]
        self.assertEqual(version['LaunchTemplateData'], data)
        self.assertTrue(version['DefaultVersion'])
        self.assertEqual(self.a.describe_launch_templates(LaunchTemplateNames=[name])['LaunchTemplates'], [made])

    def test_a_launch_takes_what_its_request_does_not_say(self):
        name, made = self.created(InstanceType=self.type, DisableApiStop=True, TagSpecifications=[
            {'ResourceType': 'instance', 'Tags': [{'Key': 'Name', 'Value': 'of the template'}, {'Key': 'kept', 'Value': 'yes'}]}])
        i = self.from_template(name, DisableApiStop=False, TagSpecifications=[
            {'ResourceType': 'instance', 'Tags': [{'Key': 'Name', 'Value': 'mine'}]}])
        self.assertEqual((i['ImageId'], i['InstanceType']), (self.image, self.type))
        system = {'aws:ec2launchtemplate:id': made['LaunchTemplateId'], 'aws:ec2launchtemplate:version': '1'}
        self.assertEqual({t['Key']: t['Value'] for t in i['Tags']}, {'Name': 'mine', 'kept': 'yes', **system})
        stop = self.a.describe_instance_attribute(InstanceId=i['InstanceId'], Attribute='disableApiStop')['DisableApiStop']
        self.assertEqual(stop, {'Value': False})
        self.a.delete_tags(Resources=[i['InstanceId']], Tags=[])
        self.assertEqual({t['Key']: t['Value'] for t in self.described(i['InstanceId'])['Tags']}, system)
        self.refused('InvalidParameterValue', self.a.delete_tags, Resources=[i['InstanceId']], Tags=[{'Key': 'aws:ec2launchtemplate:id'}])

    def test_versions_are_numbered_named_and_deleted(self):
        name, _ = self.created()  # without a type
        new = self.a.create_launch_template_version(LaunchTemplateName=name, SourceVersion='1', LaunchTemplateData={'InstanceType': self.type})
        self.assertEqual(new['LaunchTemplateVersion']['LaunchTemplateData'], {'ImageId': self.image, 'InstanceType': self.type})
        self.refused('InvalidParameterValue', self.a.run_instances, LaunchTemplate={'LaunchTemplateName': name}, MinCount=1, MaxCount=1)
        self.assertEqual(self.from_template(name, '$Latest')['InstanceType'], self.type)
        self.assertEqual(self.a.modify_launch_template(LaunchTemplateName=name, DefaultVersion='2')['LaunchTemplate']['DefaultVersionNumber'], 2)
        self.assertEqual(self.from_template(name)['InstanceType'], self.type)
        numbers = lambda **more: [v['VersionNumber'] for v in self.a.describe_launch_template_versions(
            LaunchTemplateName=name, **more)['LaunchTemplateVersions']]
        self.assertEqual(numbers(), [2, 1])
        self.assertEqual(numbers(Versions=['$Default', '$Latest']), [2])
        self.assertEqual(numbers(MaxVersion='1'), [1])
        gone = self.a.delete_launch_template_versions(LaunchTemplateName=name, Versions=['1', '2', '7'])
        self.assertEqual([v['VersionNumber'] for v in gone['SuccessfullyDeletedLaunchTemplateVersions']], [1])
        self.assertEqual([(v['VersionNumber'], v['ResponseError']['Code']) for v in gone['UnsuccessfullyDeletedLaunchTemplateVersions']],
                         [(2, 'unexpectedError'), (7, 'launchTemplateVersionDoesNotExist')])
        self.assertEqual(numbers(), [2])

    def test_a_retried_token_gives_the_same_template_and_version(self):
        name, token = unique('web'), unique('token')
        ask = {'LaunchTemplateName': name, 'LaunchTemplateData': {'ImageId': self.image}}
        made = self.a.create_launch_template(ClientToken=token, **ask)['LaunchTemplate']
        self.addCleanup(self.a.delete_launch_template, LaunchTemplateName=name)
        self.assertEqual(self.a.create_launch_template(ClientToken=token, **ask)['LaunchTemplate'], made)
        self.refused('IdempotentParameterMismatch', self.a.create_launch_template, ClientToken=token, VersionDescription='x', **ask)
        self.refused('InvalidLaunchTemplateName.AlreadyExistsException', self.a.create_launch_template, **ask)
        for _ in range(2):
            version = self.a.create_launch_template_version(ClientToken=token, **ask)['LaunchTemplateVersion']
            self.assertEqual(version['VersionNumber'], 2)

    def test_templates_are_found_by_filters_tags_and_pages(self):
        mark = unique('mark')
        names = sorted(self.created()[0] for _ in range(3))
        ids = [t['LaunchTemplateId'] for t in self.a.describe_launch_templates(LaunchTemplateNames=names)['LaunchTemplates']]
        self.a.create_tags(Resources=ids, Tags=[{'Key': 'mark', 'Value': mark}])
        pages = self.a.get_paginator('describe_launch_templates').paginate(
            Filters=[{'Name': 'tag:mark', 'Values': [mark]}], PaginationConfig={'PageSize': 2})
        self.assertEqual([[t['LaunchTemplateName'] for t in p['LaunchTemplates']] for p in pages], [names[:2], names[2:]])
        found = self.a.describe_launch_templates(Filters=[{'Name': 'launch-template-name', 'Values': [names[0][:-1] + '?']}])
        self.assertEqual([t['LaunchTemplateName'] for t in found['LaunchTemplates']], names[:1])
        tags = self.a.describe_tags(Filters=[{'Name': 'value', 'Values': [mark]}])['Tags']
        self.assertEqual({t['ResourceType'] for t in tags}, {'launch-template'})
        self.assertEqual({t['ResourceId'] for t in tags}, set(ids))

    def test_what_is_wrong_is_said_with_ec2s_codes(self):
        name, made = self.created()
        run = lambda **spec: {'LaunchTemplate': spec, 'MinCount': 1, 'MaxCount': 1}
        for code, call, arguments in (
                ('InvalidLaunchTemplateId.Malformed', self.a.run_instances, run(LaunchTemplateId='spam')),
                ('InvalidLaunchTemplateId.NotFound', self.a.run_instances, run(LaunchTemplateId=ABSENT['lt'])),
                ('InvalidLaunchTemplateId.VersionNotFound', self.a.run_instances, run(LaunchTemplateName=name, Version='9')),
                ('InvalidLaunchTemplateName.NotFoundException', self.a.run_instances, run(LaunchTemplateName='nobody')),
                ('InvalidParameterValue', self.a.run_instances, run(LaunchTemplateName=name, Version='newest')),
                ('InvalidParameterCombination', self.a.run_instances, run(LaunchTemplateName=name, LaunchTemplateId=made['LaunchTemplateId'])),
                ('InvalidLaunchTemplateName.MalformedException', self.a.create_launch_template,
                 {'LaunchTemplateName': 'a b', 'LaunchTemplateData': {'ImageId': self.image}}),
                ('MissingParameter', self.a.create_launch_template, {'LaunchTemplateName': unique('web'), 'LaunchTemplateData': {}}),
                ('UnsupportedOperation', self.a.create_launch_template,
                 {'LaunchTemplateName': unique('web'), 'LaunchTemplateData': {'SecurityGroupIds': ['sg-1']}}),
                ('InvalidLaunchTemplateId.VersionNotFound', self.a.modify_launch_template, {'LaunchTemplateName': name, 'DefaultVersion': '9'})):
            with self.subTest(code):
                self.refused(code, call, **arguments)
        gone = unique('web')
        self.a.create_launch_template(LaunchTemplateName=gone, LaunchTemplateData={'ImageId': self.image})
        self.a.delete_launch_template(LaunchTemplateName=gone)
        self.refused('InvalidLaunchTemplateName.NotFoundException', self.a.describe_launch_templates, LaunchTemplateNames=[gone])
