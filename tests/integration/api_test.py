"""The EC2 API in front of real guests: ec2_clients.py whole, then what only a guest or a restart can show."""

import base64
import os
import pathlib
import subprocess
import sys
import unittest

import botocore.exceptions

from support.cloud import Cloud, eventually

QUICK = {"Delay": 1, "MaxAttempts": 120}


def setUpModule():
    global cloud, ec2
    # A small machine has to hold a dozen tiny guests.
    cloud = Cloud("api", berthd_flags=["--cpu_overcommit_permille=32000", "--presigned_urls"]).__enter__()
    ec2 = cloud.client()


def tearDownModule():
    cloud.__exit__(None, None, None)


def run(count=1, **more):
    more = {"ImageId": cloud.image, "InstanceType": "t2.nano", "MinCount": count, "MaxCount": count, **more}
    return [i["InstanceId"] for i in ec2.run_instances(**more)["Instances"]]


def new_tenant(name):
    """The id of a new tenant and its key as `id:secret`."""
    tenant = cloud.ctl_json("tenant", "create", name)["id"]
    key = cloud.ctl_json("key", "create", tenant)
    return tenant, f"{key['access_key_id']}:{key['secret_access_key']}"


class Clients(unittest.TestCase):
    def test_unmodified_clients_find_what_they_expect(self):
        (_, key_a), (b, key_b) = new_tenant("ada"), new_tenant("bob")
        foreign = cloud.ctl_json("image", "import", cloud.state / "tiny.qcow2", "--name=of-bob", "--format=qcow2", f"--tenant={b}")["id"]
        env = {**os.environ, **cloud.environment, "BERTH_ENDPOINT": cloud.endpoint, "BERTH_KEY_A": key_a, "BERTH_KEY_B": key_b}
        program = pathlib.Path(__file__).with_name("ec2_clients.py")
        flags = ["--presigned", "--type=t2.nano", f"--image={cloud.image}", f"--foreign_image={foreign}"]
        done = subprocess.run([sys.executable, program, *flags], env=env, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, "see the output above")


class Guests(unittest.TestCase):
    def test_a_guest_finds_its_key_and_user_data_and_keeps_its_disk(self):
        key = ec2.create_key_pair(KeyName="guest", KeyType="ed25519")
        self.addCleanup(ec2.delete_key_pair, KeyName="guest")
        script = "#!/bin/sh\necho marker-$((6 * 7))\n"
        i = run(KeyName="guest", UserData=script)[0]
        self.addCleanup(ec2.terminate_instances, InstanceIds=[i])
        text = eventually(120, "the user data's output", lambda: (lambda t: "user-data: marker-42" in t and t)(cloud.console(i)))
        self.assertIn(f"ssh key ssh-ed25519 SHA256:{key['KeyFingerprint'].rstrip('=')}", text)
        address = eventually(60, "its address", lambda: cloud.instances()[i].get("PrivateIpAddress"))
        self.assertIn(f"berth-guest: address {address}/", text)
        stored = ec2.describe_instance_attribute(InstanceId=i, Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(stored).decode(), script)

        ec2.reboot_instances(InstanceIds=[i])
        eventually(90, "the boot after the reboot", lambda: cloud.boots(i) == 2)
        ec2.stop_instances(InstanceIds=[i])
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[i], WaiterConfig=QUICK)
        ec2.modify_instance_attribute(InstanceId=i, InstanceType={"Value": "t3.micro"})
        ec2.start_instances(InstanceIds=[i])
        eventually(90, "the boot after the stop", lambda: cloud.boots(i) == 3)
        self.assertIn("boot=3", cloud.console(i))
        # With another type the same guest has another shape.
        domain = cloud.domain_xml(i)
        self.assertEqual(domain.findtext("vcpu"), "2")
        self.assertEqual((domain.find("memory").text, domain.find("memory").get("unit")), (str(1024 * 1024), "KiB"))

    def test_a_repeated_token_gives_the_same_instances_also_after_a_restart(self):
        ask = {"ClientToken": "the-same", "count": 2}
        ids = run(**ask)
        self.addCleanup(ec2.terminate_instances, InstanceIds=ids)
        cloud.kill("berthd")
        cloud.start("berthd")
        eventually(20, "berthd", self.answers)
        self.assertEqual(run(**ask), ids)
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            run(ClientToken="the-same", count=3)
        self.assertEqual(caught.exception.response["Error"]["Code"], "IdempotentParameterMismatch")

    def answers(self):
        try:
            return ec2.describe_regions()
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return None

    def test_guests_end_with_their_instances(self):
        ec2.terminate_instances(InstanceIds=[*cloud.instances()] or run())
        eventually(90, "the end of all instances", lambda: not cloud.instances())
        eventually(30, "the end of all domains", lambda: not cloud.domains())


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
