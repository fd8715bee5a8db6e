"""kill -9 of berthd, and of berth-agent, at random instants under load: promises P1, P2, P4 and P8."""

import os
import random
import threading
import time
import unittest
import uuid

import botocore.exceptions

from support.cloud import Cloud, eventually

KILLS = int(os.environ.get("BERTH_KILLS", "25"))
CREATORS = 8
ROOM = ["--cpu_overcommit_permille=32000"]  # a small machine has to hold every creator's guest
SEED = int(os.environ.get("BERTH_SEED", "1"))


class Creator(threading.Thread):
    """Runs, tags, retries and terminates instances of its own; repeats each call until it is answered."""

    def __init__(self, cloud, number, stop):
        super().__init__(daemon=True)
        self.cloud, self.stop, self.number = cloud, stop, number
        self.random = random.Random(SEED * 1000 + number)
        self.acknowledged = {}   # client token -> instance id, as the reply said
        self.terminated = set()  # instance ids whose termination was acknowledged
        self.tags = {}           # instance id -> the last value whose CreateTags was acknowledged
        self.calls = self.repeats = 0
        self.trouble = None

    def run(self):
        try:
            self.client = self.cloud.client(connect_timeout=2, read_timeout=10)
            while not self.stop.is_set():
                self.step()
        except BaseException as error:  # the test reports it; a thread must not die in silence
            self.trouble = error

    def until_answered(self, call, **arguments):
        while True:
            self.calls += 1
            try:
                return call(**arguments)
            except botocore.exceptions.ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                    raise
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.HTTPClientError):
                pass  # no answer: the daemon died with the call, or is not back yet
            self.repeats += 1
            time.sleep(0.05)

    def launch(self, token):
        reply = self.until_answered(
            self.client.run_instances, ImageId=self.cloud.image, InstanceType="t2.nano", MinCount=1, MaxCount=1, ClientToken=token,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "token", "Value": token}]}])
        return reply["Instances"][0]["InstanceId"]

    def step(self):
        live = [t for t, i in self.acknowledged.items() if i not in self.terminated]
        dice = self.random.random()
        if not live:
            token = str(uuid.UUID(int=self.random.getrandbits(128)))
            self.acknowledged[token] = self.launch(token)
        elif dice < 0.75:
            instance, value = self.acknowledged[self.random.choice(live)], str(self.random.getrandbits(64))
            self.until_answered(self.client.create_tags, Resources=[instance], Tags=[{"Key": "last", "Value": value}])
            self.tags[instance] = value
        elif dice < 0.97:
            token = self.random.choice(sorted(self.acknowledged))
            again = self.launch(token)
            assert again == self.acknowledged[token], f"token {token} gave {self.acknowledged[token]}, then {again}"
        else:
            instance = self.acknowledged[self.random.choice(live)]
            self.until_answered(self.client.terminate_instances, InstanceIds=[instance])
            self.terminated.add(instance)


class KilledAtRandomInstants(unittest.TestCase):
    def load(self, cloud, faults):
        """Eight creators work while faults() goes on; returns them when all have stopped in peace."""
        stop = threading.Event()
        creators = [Creator(cloud, n, stop) for n in range(CREATORS)]
        for creator in creators:
            creator.start()
        try:
            faults()
        finally:
            stop.set()
            for creator in creators:
                creator.join(60)
        for creator in creators:
            self.assertIsNone(creator.trouble, f"creator {creator.number}: {creator.trouble!r}")
            self.assertFalse(creator.is_alive(), f"creator {creator.number} still waits for an answer")
        return creators

    def judge(self, cloud, creators):
        acknowledged = {t: i for c in creators for t, i in c.acknowledged.items()}
        gone = {i for c in creators for i in c.terminated}
        wanted = set(acknowledged.values()) - gone
        seen = cloud.instances()
        self.assertEqual(len(set(acknowledged.values())), len(acknowledged), "two tokens share an instance")
        seen = {i: v for i, v in seen.items() if v["State"]["Name"] != "shutting-down"}
        self.assertEqual(wanted - set(seen), set(), "acknowledged instances are lost")
        self.assertEqual(set(seen) - wanted, set(), "there are instances that nobody was told of")
        for creator in creators:
            for instance, value in creator.tags.items():
                if instance in wanted:
                    tags = {t["Key"]: t["Value"] for t in seen[instance]["Tags"]}
                    self.assertEqual(tags.get("last"), value, f"an acknowledged tag of {instance} is lost")
        eventually(120, "every instance to run", lambda: all(i["State"]["Name"] == "running" for i in cloud.instances().values()))
        eventually(60, "as many domains as instances", lambda: len(cloud.domains()) == len(wanted))
        for instance in wanted:
            eventually(60, f"{instance} on its console", lambda i=instance: cloud.boots(i) > 0)
            self.assertEqual(cloud.boots(instance), 1, f"the guest of {instance} was started more than once")
        print(f"    {KILLS} kills, {len(acknowledged)} instances acknowledged, none lost, none twice, {len(gone)} terminated; "
              f"{sum(c.calls for c in creators)} calls, {sum(c.repeats for c in creators)} of them repeated")

    def test_nothing_acknowledged_is_lost_when_berthd_is_killed(self):
        dice = random.Random(SEED)
        with Cloud("crash-daemon", berthd_flags=ROOM) as cloud:
            settled = Creator(cloud, 99, threading.Event())
            settled.client = cloud.client()
            bystander = settled.launch("bystander")
            eventually(60, "the bystander's guest", lambda: cloud.last_tick(bystander) >= 0)

            def faults():
                for _ in range(KILLS):
                    time.sleep(dice.uniform(0.05, 1.5))
                    cloud.kill("berthd")
                    time.sleep(dice.uniform(0, 0.2))
                    cloud.start("berthd")

            creators = self.load(cloud, faults)
            settled.acknowledged["bystander"] = bystander
            before = cloud.last_tick(bystander)
            eventually(10, "the bystander to tick on", lambda: cloud.last_tick(bystander) > before)
            self.judge(cloud, [*creators, settled])

    def test_no_guest_runs_twice_when_the_agent_is_killed(self):
        dice = random.Random(SEED + 1)
        with Cloud("crash-agent", berthd_flags=ROOM) as cloud:
            def faults():
                for _ in range(KILLS):
                    time.sleep(dice.uniform(0.05, 2))
                    cloud.kill("agent")
                    time.sleep(dice.uniform(0, 0.5))
                    cloud.start("agent")

            self.judge(cloud, self.load(cloud, faults))


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
