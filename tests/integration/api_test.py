"""The EC2 API as unmodified clients meet it: boto3, botocore's signer, the aws CLI; one host with real guests."""

import base64
import datetime
import unittest
import urllib.error
import urllib.request
import ssl

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions

from support.cloud import Cloud, eventually

QUICK = {"Delay": 1, "MaxAttempts": 120}
ABSENT = "0123456789abcdef0"


def setUpModule():
    global cloud, ec2
    # A small machine has to hold a dozen tiny guests.
    cloud = Cloud("api", berthd_flags=["--cpu_overcommit_permille=32000"]).__enter__()
    ec2 = cloud.client()


def tearDownModule():
    cloud.__exit__(None, None, None)


def run(count=1, **more):
    more = {"ImageId": cloud.image, "InstanceType": "t2.nano", "MinCount": count, "MaxCount": count, **more}
    return [i["InstanceId"] for i in ec2.run_instances(**more)["Instances"]]


def named(name):
    return [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]


class Api(unittest.TestCase):
    def refused(self, code, call, status=400, **arguments):
        """The call is refused with this EC2 code and HTTP status; its message comes back."""
        with self.assertRaises(botocore.exceptions.ClientError, msg=f"{call.__name__} {arguments}") as caught:
            call(**arguments)
        found = caught.exception.response
        self.assertEqual((found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]), (code, status), f"{call.__name__} {arguments}: {found['Error']}")
        self.assertTrue(found["Error"]["Message"])
        return found["Error"]["Message"]

    def run_until_the_end(self, count=1, **more):
        ids = run(count, **more)
        self.addCleanup(ec2.terminate_instances, InstanceIds=ids)
        return ids


class Instances(Api):
    def test_an_instance_lives_through_every_state(self):
        reply = ec2.run_instances(ImageId=cloud.image, InstanceType="t2.nano", MinCount=1, MaxCount=1, TagSpecifications=named("life"))
        one = reply["Instances"][0]
        self.assertEqual(one["State"], {"Code": 0, "Name": "pending"})
        self.assertEqual(one["Placement"]["AvailabilityZone"], "us-east-1a")
        self.assertEqual(one["Tags"], [{"Key": "Name", "Value": "life"}])
        self.assertRegex(reply["ReservationId"], "^r-[0-9a-f]{17}$")
        i = one["InstanceId"]
        ec2.get_waiter("instance_exists").wait(InstanceIds=[i], WaiterConfig=QUICK)
        ec2.get_waiter("instance_running").wait(InstanceIds=[i], WaiterConfig=QUICK)
        ec2.get_waiter("instance_status_ok").wait(InstanceIds=[i], WaiterConfig=QUICK)
        eventually(60, "the guest's first line", lambda: cloud.boots(i) == 1)

        self.assertIsNone(ec2.reboot_instances(InstanceIds=[i]).get("Return"))
        eventually(90, "the second boot", lambda: cloud.boots(i) == 2)
        change = ec2.stop_instances(InstanceIds=[i])["StoppingInstances"][0]
        self.assertEqual((change["CurrentState"], change["PreviousState"]), ({"Code": 64, "Name": "stopping"}, {"Code": 16, "Name": "running"}))
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[i], WaiterConfig=QUICK)
        self.assertEqual(cloud.instances()[i]["StateReason"]["Code"], "Client.UserInitiatedShutdown")
        self.assertEqual(ec2.stop_instances(InstanceIds=[i])["StoppingInstances"][0]["CurrentState"]["Name"], "stopped")
        change = ec2.start_instances(InstanceIds=[i])["StartingInstances"][0]
        self.assertEqual((change["CurrentState"]["Name"], change["PreviousState"]["Name"]), ("pending", "stopped"))
        ec2.get_waiter("instance_running").wait(InstanceIds=[i], WaiterConfig=QUICK)
        eventually(60, "the third boot", lambda: cloud.boots(i) == 3)
        change = ec2.terminate_instances(InstanceIds=[i])["TerminatingInstances"][0]
        self.assertEqual((change["CurrentState"], change["PreviousState"]["Name"]), ({"Code": 32, "Name": "shutting-down"}, "running"))
        ec2.get_waiter("instance_terminated").wait(InstanceIds=[i], WaiterConfig=QUICK)
        self.assertEqual(ec2.terminate_instances(InstanceIds=[i])["TerminatingInstances"][0]["CurrentState"]["Name"], "terminated")
        self.refused("IncorrectInstanceState", ec2.start_instances, InstanceIds=[i])

    def test_the_guest_finds_its_key_user_data_and_name(self):
        key = ec2.create_key_pair(KeyName="guest", KeyType="ed25519")
        self.addCleanup(ec2.delete_key_pair, KeyName="guest")
        script = "#!/bin/sh\necho marker-$((6 * 7))\n"
        i = self.run_until_the_end(KeyName="guest", UserData=script)[0]
        text = eventually(120, "the user data's output", lambda: (lambda t: "user-data: marker-42" in t and t)(cloud.console(i)))
        self.assertIn(f"ssh key ssh-ed25519 SHA256:{key['KeyFingerprint'].rstrip('=')}", text)
        self.assertIn("berth-guest: address 192.168.", text)
        stored = ec2.describe_instance_attribute(InstanceId=i, Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(stored).decode(), script)

    def test_a_repeated_token_gives_the_same_instances_also_after_a_restart(self):
        ask = {"ClientToken": "the-same", "count": 2}
        ids = self.run_until_the_end(**ask)
        self.assertEqual(run(**ask), ids)
        cloud.kill("berthd")
        cloud.start("berthd")
        eventually(20, "berthd", lambda: self.answers())
        self.assertEqual(run(**ask), ids)
        self.refused("IdempotentParameterMismatch", run, ClientToken="the-same", count=3)
        self.refused("IdempotentParameterMismatch", run, ClientToken="the-same", count=2, InstanceType="t2.micro")

    def answers(self):
        try:
            return ec2.describe_regions()
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return None

    def test_a_protected_instance_is_not_terminated(self):
        i = run(DisableApiTermination=True)[0]
        self.assertTrue(ec2.describe_instance_attribute(InstanceId=i, Attribute="disableApiTermination")["DisableApiTermination"]["Value"])
        self.refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[i])
        eventually(60, "it to run", lambda: cloud.instances()[i]["State"]["Name"] == "running")

    def test_pages_and_filters(self):
        ids = self.run_until_the_end(7, TagSpecifications=named("page-1"))
        pages = list(ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "tag:Name", "Values": ["page-?"]}], PaginationConfig={"PageSize": 5}))
        found = [[i["InstanceId"] for r in p["Reservations"] for i in r["Instances"]] for p in pages]
        self.assertEqual([len(p) for p in found], [5, 2])
        self.assertEqual(sorted(sum(found, [])), sorted(ids))

        def select(**filters):
            return set(cloud.instances(Filters=[{"Name": k.replace("_", "-"), "Values": v if isinstance(v, list) else [v]} for k, v in filters.items()]))

        self.assertEqual(select(instance_id=ids[:2]), set(ids[:2]))
        self.assertTrue(select(instance_type="t2.n*") >= set(ids))
        self.assertEqual(select(instance_type="t2.x*"), set())
        self.assertEqual(select(**{"tag:Name": "page-1", "instance_state_name": ["stopped", "stopping"]}), set())
        self.assertTrue(select(tag_key="Name", image_id=cloud.image, availability_zone="us-east-1a") >= set(ids))
        self.refused("InvalidParameterValue", ec2.describe_instances, Filters=[{"Name": "spam", "Values": ["x"]}])
        self.refused("InvalidParameterCombination", ec2.describe_instances, InstanceIds=ids[:1], MaxResults=5)
        self.refused("InvalidParameterValue", ec2.describe_instances, MaxResults=2)

    def test_tags(self):
        i = self.run_until_the_end()[0]
        ec2.create_tags(Resources=[i], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}, {"Key": "ä €", "Value": "&<>\""}])
        ec2.create_tags(Resources=[i], Tags=[{"Key": "a", "Value": "2"}])
        tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [i]}])["Tags"]
        self.assertEqual({t["Key"]: t["Value"] for t in tags}, {"a": "2", "b": "", "ä €": "&<>\""})
        self.assertEqual({t["ResourceType"] for t in tags}, {"instance"})
        ec2.delete_tags(Resources=[i], Tags=[{"Key": "a", "Value": "another"}, {"Key": "b"}])
        self.assertEqual({t["Key"] for t in cloud.instances()[i]["Tags"]}, {"a", "ä €"})
        self.refused("InvalidParameterValue", ec2.create_tags, Resources=[i], Tags=[{"Key": "aws:x", "Value": "1"}])
        self.refused("TagLimitExceeded", ec2.create_tags, Resources=[i], Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
        self.refused("InvalidInstanceID.NotFound", ec2.create_tags, Resources=[i, f"i-{ABSENT}"], Tags=[{"Key": "half", "Value": "done"}])
        self.assertNotIn("half", {t["Key"] for t in cloud.instances()[i]["Tags"]})

    def test_every_refusal_has_the_code_that_clients_know(self):
        ask = {"ImageId": cloud.image, "MinCount": 1, "MaxCount": 1, "InstanceType": "t2.nano"}
        for code, call, arguments in [
            ("InvalidInstanceID.NotFound", ec2.describe_instances, {"InstanceIds": [f"i-{ABSENT}"]}),
            ("InvalidInstanceID.Malformed", ec2.describe_instances, {"InstanceIds": ["i-nonsense"]}),
            ("InvalidInstanceID.NotFound", ec2.stop_instances, {"InstanceIds": [f"i-{ABSENT}"]}),
            ("InvalidInstanceID.NotFound", ec2.start_instances, {"InstanceIds": [f"i-{ABSENT}"]}),
            ("InvalidInstanceID.NotFound", ec2.reboot_instances, {"InstanceIds": [f"i-{ABSENT}"]}),
            ("InvalidInstanceID.NotFound", ec2.terminate_instances, {"InstanceIds": [f"i-{ABSENT}"]}),
            ("InvalidInstanceID.NotFound", ec2.get_console_output, {"InstanceId": f"i-{ABSENT}"}),
            ("InvalidInstanceID.NotFound", ec2.describe_instance_attribute, {"InstanceId": f"i-{ABSENT}", "Attribute": "userData"}),
            ("InvalidParameterCombination", ec2.terminate_instances, {"InstanceIds": []}),
            ("InvalidAMIID.NotFound", ec2.run_instances, {**ask, "ImageId": f"ami-{ABSENT}"}),
            ("InvalidAMIID.Malformed", ec2.run_instances, {**ask, "ImageId": "nonsense"}),
            ("InvalidAMIID.NotFound", ec2.describe_images, {"ImageIds": [f"ami-{ABSENT}"]}),
            ("InvalidParameterValue", ec2.run_instances, {**ask, "InstanceType": "z9.enormous"}),
            ("InvalidInstanceType", ec2.describe_instance_types, {"InstanceTypes": ["z9.enormous"]}),
            ("InvalidKeyPair.NotFound", ec2.run_instances, {**ask, "KeyName": "nobody"}),
            ("InvalidKeyPair.NotFound", ec2.describe_key_pairs, {"KeyNames": ["nobody"]}),
            ("InvalidParameterValue", ec2.run_instances, {**ask, "Placement": {"AvailabilityZone": "us-east-1z"}}),
            ("InvalidParameterValue", ec2.run_instances, {**ask, "MinCount": 2}),
            ("InvalidParameterValue", ec2.run_instances, {**ask, "MinCount": 0}),
            ("InstanceLimitExceeded", ec2.run_instances, {**ask, "MaxCount": 5000}),
            ("InvalidParameterValue", ec2.run_instances, {**ask, "ClientToken": "x" * 65}),
            ("InvalidParameterValue", ec2.describe_key_pairs, {"Filters": [{"Name": "spam", "Values": ["x"]}]}),
            ("InvalidParameterValue", ec2.describe_regions, {"RegionNames": ["mars-north-1"]}),
            ("InvalidParameterValue", ec2.describe_availability_zones, {"ZoneNames": ["us-east-1z"]}),
        ]:
            with self.subTest(code=code, call=call.__name__, arguments=arguments):
                self.refused(code, call, **arguments)
        self.assertFalse(cloud.instances(Filters=[{"Name": "instance-state-name", "Values": ["pending"]}, {"Name": "tag:Name", "Values": ["none"]}]))

    def test_what_has_no_room_is_refused_at_once(self):
        message = self.refused("InsufficientInstanceCapacity", run, status=500, InstanceType="r5.2xlarge", Placement={"AvailabilityZone": "us-east-1a"})
        self.assertIn("us-east-1a", message)

    def test_a_dry_run_changes_nothing(self):
        before = set(cloud.instances())
        self.refused("DryRunOperation", run, status=412, DryRun=True)
        self.refused("DryRunOperation", ec2.describe_regions, status=412, DryRun=True)
        self.refused("InvalidAMIID.NotFound", run, DryRun=True, ImageId=f"ami-{ABSENT}")
        self.assertEqual(set(cloud.instances()), before)


class Catalogue(Api):
    def test_types_pages_and_offerings(self):
        pages = list(ec2.get_paginator("describe_instance_types").paginate(PaginationConfig={"PageSize": 10}))
        names = [t["InstanceType"] for p in pages for t in p["InstanceTypes"]]
        self.assertGreater(len(pages), 2)
        self.assertEqual(len(names), len(set(names)))
        nano = ec2.describe_instance_types(InstanceTypes=["t3.nano"])["InstanceTypes"][0]
        self.assertEqual((nano["VCpuInfo"]["DefaultVCpus"], nano["MemoryInfo"]["SizeInMiB"]), (2, 512))
        offered = [t["InstanceType"] for p in ec2.get_paginator("describe_instance_type_offerings").paginate() for t in p["InstanceTypeOfferings"]]
        self.assertEqual(set(offered), set(names))

    def test_regions_zones_images_and_account(self):
        self.assertIn("us-east-1", [r["RegionName"] for r in ec2.describe_regions()["Regions"]])
        zones = {z["ZoneName"]: z for z in ec2.describe_availability_zones()["AvailabilityZones"]}
        self.assertEqual((zones["us-east-1a"]["State"], zones["us-east-1a"]["RegionName"]), ("available", "us-east-1"))
        image = ec2.describe_images(ImageIds=[cloud.image])["Images"][0]
        self.assertEqual((image["State"], image["Name"]), ("available", "tiny"))
        names = {a["AttributeName"] for a in ec2.describe_account_attributes()["AccountAttributes"]}
        self.assertIn("max-instances", names)

    def test_key_pairs(self):
        made = ec2.create_key_pair(KeyName="made", TagSpecifications=[{"ResourceType": "key-pair", "Tags": [{"Key": "for", "Value": "test"}]}])
        self.addCleanup(ec2.delete_key_pair, KeyName="made")
        self.assertIn("PRIVATE KEY-----", made["KeyMaterial"])
        self.assertEqual(len(made["KeyFingerprint"]), 59)
        ec2.get_waiter("key_pair_exists").wait(KeyNames=["made"], WaiterConfig=QUICK)
        self.refused("InvalidKeyPair.Duplicate", ec2.create_key_pair, KeyName="made")
        public = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1mUZyZk3y9kq2lYxWl2r3sQb1Xf0vJt1q9pWbYk0aB me@here"
        taken = ec2.import_key_pair(KeyName="taken", PublicKeyMaterial=public)
        self.assertEqual(taken["KeyFingerprint"].rstrip("="), "3xlTIJvQkslB/O5Az99o1gWwoJAi6iNabOnUei0NMBI")
        self.refused("InvalidKey.Format", ec2.import_key_pair, KeyName="bad", PublicKeyMaterial=b"nonsense")
        self.assertEqual([k["KeyName"] for k in ec2.describe_key_pairs(Filters=[{"Name": "key-name", "Values": ["tak*"]}])["KeyPairs"]], ["taken"])
        ec2.delete_key_pair(KeyName="taken")
        ec2.delete_key_pair(KeyName="taken")  # as on EC2: deleting what is not there succeeds
        self.refused("InvalidKeyPair.NotFound", ec2.describe_key_pairs, KeyNames=["taken"])


class Callers(Api):
    def other_tenant(self, name):
        tenant = cloud.ctl_json("tenant", "create", name)
        key = cloud.ctl_json("key", "create", tenant["id"])
        return tenant["id"], key["id"], key["secret"]

    def test_tenants_do_not_see_each_other(self):
        i = self.run_until_the_end()[0]
        tenant, key, secret = self.other_tenant("neighbour")
        other = cloud.client(key=key, secret=secret)
        self.assertEqual(cloud.client("sts", key=key, secret=secret).get_caller_identity()["Account"], tenant)
        self.assertEqual(other.describe_instances()["Reservations"], [])
        self.assertEqual(other.describe_key_pairs()["KeyPairs"], [])
        self.assertEqual(other.describe_tags()["Tags"], [])
        foreign = self.refused("InvalidInstanceID.NotFound", other.stop_instances, InstanceIds=[i])
        absent = self.refused("InvalidInstanceID.NotFound", other.stop_instances, InstanceIds=[f"i-{ABSENT}"])
        self.assertEqual(foreign.replace(i, ""), absent.replace(f"i-{ABSENT}", ""))
        self.assertEqual(run(ClientToken="shared-word"), run(ClientToken="shared-word"))
        theirs = other.run_instances(ImageId=cloud.image, InstanceType="t2.nano", MinCount=1, MaxCount=1, ClientToken="shared-word")
        self.assertNotIn(theirs["Instances"][0]["InstanceId"], cloud.instances())
        other.terminate_instances(InstanceIds=[theirs["Instances"][0]["InstanceId"]])

    def test_bad_signatures_are_refused_alike(self):
        wrong = cloud.client(secret="not-the-secret")
        unknown = cloud.client(key="AKIAABSENTABSENT0000", secret="nothing")
        self.assertEqual(self.refused("AuthFailure", wrong.describe_regions, status=401), self.refused("AuthFailure", unknown.describe_regions, status=401))

    def raw(self, body, headers=None, sign=True, shift=datetime.timedelta()):
        """One POST of our own making: status and error code."""
        env = cloud.environment
        request = botocore.awsrequest.AWSRequest("POST", cloud.endpoint + "/", data=body, headers={
            "Content-Type": "application/x-www-form-urlencoded", **(headers or {})})
        if sign:
            credentials = botocore.credentials.Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
            signer = botocore.auth.SigV4Auth(credentials, "ec2", "us-east-1")
            now = datetime.datetime.utcnow() + shift
            frozen = type("Frozen", (datetime.datetime,), {"utcnow": classmethod(lambda cls: now)})
            original, botocore.auth.datetime.datetime = botocore.auth.datetime.datetime, frozen
            try:
                signer.add_auth(request)
            finally:
                botocore.auth.datetime.datetime = original
        context = ssl.create_default_context(cafile=env["AWS_CA_BUNDLE"])
        sent = urllib.request.Request(request.url, data=body.encode(), headers=dict(request.headers), method="POST")
        try:
            with urllib.request.urlopen(sent, context=context, timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as reply:
            return reply.code, reply.read().decode()

    def test_what_no_client_library_would_send(self):
        regions = "Action=DescribeRegions&Version=2016-11-15"
        self.assertEqual(self.raw(regions)[0], 200)
        for code, status, body, options in [
            ("InvalidAction", 400, "Action=MakeCoffee&Version=2016-11-15", {}),
            ("MissingAction", 400, "Version=2016-11-15", {}),
            ("MissingAuthenticationToken", 400, regions, {"sign": False}),
            ("IncompleteSignature", 400, regions, {"sign": False, "headers": {"Authorization": "AWS4-HMAC-SHA256 nonsense"}}),
            ("RequestExpired", 400, regions, {"shift": datetime.timedelta(hours=-2)}),
            ("MissingParameter", 400, "Action=GetConsoleOutput&Version=2016-11-15", {}),
            ("InvalidParameterValue", 400, "Action=DescribeInstances&Version=2016-11-15&MaxResults=many", {}),
        ]:
            with self.subTest(code=code):
                found_status, text = self.raw(body, **options)
                self.assertIn(f"<Code>{code}</Code>", text)
                self.assertEqual(found_status, status)
                self.assertNotIn("xmlns", text)

    def test_the_aws_cli_goes_through_a_life(self):
        self.assertRegex(cloud.aws("sts", "get-caller-identity")["Account"], "^[0-9]{12}$")
        i = cloud.aws("ec2", "run-instances", "--image-id", cloud.image, "--instance-type", "t2.nano", "--count", "1")["Instances"][0]["InstanceId"]
        eventually(60, "it to run", lambda: cloud.instances()[i]["State"]["Name"] == "running")
        cloud.aws("ec2", "wait", "instance-running", "--instance-ids", i)
        shown = cloud.aws("ec2", "describe-instances", "--filters", f"Name=instance-id,Values={i}")["Reservations"][0]["Instances"][0]
        self.assertEqual(shown["State"]["Name"], "running")
        cloud.aws("ec2", "create-tags", "--resources", i, "--tags", "Key=by,Value=cli")
        self.assertEqual(cloud.aws("ec2", "describe-tags", "--filters", "Name=key,Values=by")["Tags"][0]["ResourceId"], i)
        self.assertEqual(cloud.aws("ec2", "terminate-instances", "--instance-ids", i)["TerminatingInstances"][0]["CurrentState"]["Name"], "shutting-down")


if __name__ == "__main__":
    unittest.main(verbosity=2)
