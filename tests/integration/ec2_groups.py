"""Placement groups as boto3 sees them. Run by ec2_clients.py.

The fake hosts are three, in racks of their own: two in us-east-1a, one in us-east-1b. What needs more than one rack is
tried there only; elsewhere nobody knows which racks there are."""

from support.ec2 import ABSENT, OPTIONS, Cloud, unique

ONE = {'MinCount': 1, 'MaxCount': 1}


class Groups(Cloud):
    def created(self, strategy, **more):
        name = unique('apart')
        made = self.a.create_placement_group(GroupName=name, Strategy=strategy, **more)['PlacementGroup']
        self.addCleanup(self.emptied, name)
        return name, made

    def emptied(self, name):
        """Ends what is in the group, and then the group."""
        found = self.a.describe_instances(Filters=[{'Name': 'placement-group-name', 'Values': [name]}])['Reservations']
        ids = [i['InstanceId'] for r in found for i in r['Instances']]
        if ids:
            self.a.terminate_instances(InstanceIds=ids)
            self.wait('instance_terminated', ids)
        self.a.delete_placement_group(GroupName=name)

    def into(self, name, count=1, least=None, **placement):
        reply = self.a.run_instances(ImageId=self.image, InstanceType=self.type, MinCount=least or count, MaxCount=count,
                                     Placement={'GroupName': name, **placement})
        ids = [i['InstanceId'] for i in reply['Instances']]
        self.made['a'] += ids
        return reply['Instances']

    def no_room(self, name, **placement):
        return self.refused('InsufficientInstanceCapacity', self.a.run_instances, 500, ImageId=self.image, InstanceType=self.type,
                            Placement={'GroupName': name, **placement}, **ONE)

    def fake_racks(self):
        if OPTIONS.guests != 'fake':
            self.skipTest('needs hosts in racks that are known')

    def test_a_group_is_shown_as_it_was_made(self):
        tags = [{'Key': 'team', 'Value': unique('red')}]
        name, made = self.created('partition', PartitionCount=3, TagSpecifications=[{'ResourceType': 'placement-group', 'Tags': tags}])
        account = self.described(self.own)['NetworkInterfaces'][0]['OwnerId']
        self.assertRegex(made['GroupId'], r'^pg-[0-9a-f]{17}$')
        self.assertEqual(made, {'GroupName': name, 'State': 'available', 'Strategy': 'partition', 'PartitionCount': 3, 'GroupId': made['GroupId'],
                                'Tags': tags, 'GroupArn': f'arn:aws:ec2:{OPTIONS.region}:{account}:placement-group/{name}'})
        for by in ({'GroupNames': [name]}, {'GroupIds': [made['GroupId']]}, {'Filters': [{'Name': 'tag:team', 'Values': [tags[0]['Value']]}]},
                   {'Filters': [{'Name': 'group-arn', 'Values': [made['GroupArn']]}]}):
            self.assertEqual(self.a.describe_placement_groups(**by)['PlacementGroups'], [made])
        self.assertEqual(self.created('partition')[1]['PartitionCount'], 2)
        self.assertEqual(self.created('spread')[1]['SpreadLevel'], 'rack')
        on_hosts, spread = self.created('spread', SpreadLevel='host')
        self.assertEqual(spread['SpreadLevel'], 'host')
        found = self.a.describe_placement_groups(Filters=[{'Name': 'strategy', 'Values': ['spread']}, {'Name': 'spread-level', 'Values': ['host']},
                                                          {'Name': 'state', 'Values': ['available']}])['PlacementGroups']
        self.assertIn(on_hosts, [g['GroupName'] for g in found])
        self.assertEqual({g['SpreadLevel'] for g in found}, {'host'})

    def test_tags_of_a_group_are_those_of_any_resource(self):
        _, made = self.created('cluster')
        ids = [made['GroupId']]
        self.a.create_tags(Resources=ids, Tags=[{'Key': 'a', 'Value': '1'}, {'Key': 'b', 'Value': ''}])
        self.a.delete_tags(Resources=ids, Tags=[{'Key': 'a'}])
        tags = self.a.describe_tags(Filters=[{'Name': 'resource-id', 'Values': ids}])['Tags']
        self.assertEqual(tags, [{'Key': 'b', 'Value': '', 'ResourceId': ids[0], 'ResourceType': 'placement-group'}])
        self.assertEqual(self.a.describe_placement_groups(GroupIds=ids)['PlacementGroups'][0]['Tags'], [{'Key': 'b', 'Value': ''}])

    def test_an_instance_shows_its_group_until_nothing_of_it_is_left(self):
        name, made = self.created('partition', PartitionCount=2)
        launched = self.into(name, PartitionNumber=2)[0]
        i = launched['InstanceId']
        placement = {'GroupName': name, 'GroupId': made['GroupId'], 'PartitionNumber': 2}
        for shown in (launched, self.described(i)):
            self.assertEqual({k: shown['Placement'].get(k) for k in placement}, placement)
        for field, value in (('placement-group-name', name), ('placement-partition-number', '2')):
            found = self.a.describe_instances(Filters=[{'Name': field, 'Values': [value]}])['Reservations']
            self.assertIn(i, [each['InstanceId'] for r in found for each in r['Instances']])
        self.assertEqual(self.described(self.own)['Placement']['GroupName'], '')
        message = self.refused('InvalidPlacementGroup.InUse', self.a.delete_placement_group, GroupName=name)
        self.assertEqual(message, f"The placement group '{name}' is in use and may not be deleted.")
        self.a.terminate_instances(InstanceIds=[i])
        self.wait('instance_terminated', [i])
        self.assertEqual(self.described(i)['Placement']['GroupName'], '')
        self.a.delete_placement_group(GroupName=name)
        self.assertEqual(self.refused('InvalidPlacementGroup.Unknown', self.a.delete_placement_group, GroupName=name),
                         f"The Placement Group '{name}' is unknown.")
        self.a.create_placement_group(GroupName=name, Strategy='cluster')

    def test_a_template_names_a_group(self):
        name, made = self.created('partition', PartitionCount=2)
        template = unique('web')
        data = {'ImageId': self.image, 'InstanceType': self.type, 'Placement': {'GroupName': name, 'PartitionNumber': 1}}
        self.a.create_launch_template(LaunchTemplateName=template, LaunchTemplateData=data)
        self.addCleanup(self.a.delete_launch_template, LaunchTemplateName=template)
        shown = self.a.describe_launch_template_versions(LaunchTemplateName=template)['LaunchTemplateVersions'][0]
        self.assertEqual(shown['LaunchTemplateData'], data)
        i = self.a.run_instances(LaunchTemplate={'LaunchTemplateName': template}, **ONE)['Instances'][0]
        self.made['a'].append(i['InstanceId'])
        self.assertEqual((i['Placement']['GroupId'], i['Placement']['PartitionNumber']), (made['GroupId'], 1))

    def test_spread_takes_a_rack_once_and_says_where_there_is_another(self):
        self.fake_racks()
        name, _ = self.created('spread')
        self.assertEqual(len(self.into(name, count=7, least=1, AvailabilityZone='us-east-1a')), 2)
        message = self.no_room(name, AvailabilityZone='us-east-1a')
        self.assertIn('choosing us-east-1b.', message)
        self.assertEqual(self.into(name)[0]['Placement']['AvailabilityZone'], 'us-east-1b')
        self.no_room(name)
        self.refused('InstanceLimitExceeded', self.a.run_instances, ImageId=self.image, InstanceType=self.type, MinCount=8, MaxCount=8,
                     Placement={'GroupName': name})

    def test_spread_over_hosts_takes_a_host_once(self):
        self.fake_racks()
        name, _ = self.created('spread', SpreadLevel='host')
        self.assertEqual(len(self.into(name, count=5, least=1, AvailabilityZone='us-east-1a')), 2)
        self.no_room(name, AvailabilityZone='us-east-1a')

    def test_partitions_are_filled_evenly_and_share_no_rack(self):
        self.fake_racks()
        name, _ = self.created('partition', PartitionCount=3)
        zone = {'AvailabilityZone': 'us-east-1a'}
        numbers = [i['Placement']['PartitionNumber'] for i in self.into(name, count=4, **zone)]
        self.assertEqual(sorted(numbers), [1, 1, 2, 2])
        self.no_room(name, PartitionNumber=3, **zone)
        self.assertEqual(self.into(name, PartitionNumber=1, **zone)[0]['Placement']['PartitionNumber'], 1)
        self.assertEqual(self.into(name, **zone)[0]['Placement']['PartitionNumber'], 2)

    def test_a_cluster_group_stays_in_its_zone(self):
        self.fake_racks()
        name, _ = self.created('cluster')
        self.assertEqual(self.into(name, AvailabilityZone='us-east-1b')[0]['Placement']['AvailabilityZone'], 'us-east-1b')
        self.assertEqual({i['Placement']['AvailabilityZone'] for i in self.into(name, count=2)}, {'us-east-1b'})
        message = self.refused('InvalidPlacementGroup.InUse', self.a.run_instances, ImageId=self.image, InstanceType=self.type,
                               Placement={'GroupName': name, 'AvailabilityZone': 'us-east-1a'}, **ONE)
        self.assertEqual(message, f"The placement group '{name}' is in use in another availability zone: us-east-1b")

    def test_what_is_wrong_is_said_with_ec2s_codes(self):
        name, made = self.created('spread')
        parts, _ = self.created('partition')
        make, run = self.a.create_placement_group, self.a.run_instances
        launch = lambda **placement: {'ImageId': self.image, 'InstanceType': self.type, 'Placement': placement, **ONE}
        for code, call, arguments in (
                ('InvalidPlacementGroup.Duplicate', make, {'GroupName': name, 'Strategy': 'cluster'}),
                ('MissingParameter', make, {'Strategy': 'cluster'}),
                ('InvalidParameterValue', make, {'GroupName': unique('g'), 'Strategy': 'scatter'}),
                ('InvalidParameterValue', make, {'GroupName': unique('g'), 'Strategy': 'partition', 'PartitionCount': 8}),
                ('InvalidParameterValue', make, {'GroupName': 'x' * 256, 'Strategy': 'cluster'}),
                ('InvalidParameterCombination', make, {'GroupName': unique('g'), 'Strategy': 'spread', 'PartitionCount': 2}),
                ('InvalidParameterCombination', make, {'GroupName': unique('g'), 'Strategy': 'cluster', 'SpreadLevel': 'rack'}),
                ('InvalidPlacementGroup.Unknown', self.a.describe_placement_groups, {'GroupNames': ['nobody']}),
                ('InvalidPlacementGroup.Unknown', self.a.describe_placement_groups, {'GroupIds': [ABSENT['pg']]}),
                ('InvalidPlacementGroupId.Malformed', self.a.describe_placement_groups, {'GroupIds': ['pg-spam']}),
                ('InvalidParameterValue', self.a.describe_placement_groups, {'Filters': [{'Name': 'spam', 'Values': ['x']}]}),
                ('InvalidPlacementGroup.Unknown', run, launch(GroupName='nobody')),
                ('InvalidPlacementGroup.Unknown', run, launch(GroupId=ABSENT['pg'])),
                ('InvalidPlacementGroupId.Malformed', run, launch(GroupId='spam')),
                ('InvalidParameterCombination', run, launch(GroupName=name, GroupId=made['GroupId'])),
                ('InvalidParameterValue', run, launch(GroupName=parts, PartitionNumber=3)),
                ('InvalidParameterValue', run, launch(GroupName=name, PartitionNumber=1)),
                ('InvalidParameterValue', run, launch(PartitionNumber=1))):
            with self.subTest(code, arguments=arguments):
                self.refused(code, call, **arguments)
