"""Three hosts, each with its own libvirtd: placement over zones, power cut and return, adoption."""

import time
import unittest

from support.cloud import Cloud, eventually

ZONES = {None: "us-east-1a", "h1": "us-east-1b", "h2": "us-east-1c"}
GUESTS = {None: 1, "h1": 2, "h2": 1}


class ThreeHosts(unittest.TestCase):
    def test_guests_survive_their_agents_and_return_with_their_host(self):
        with Cloud("hosts") as cloud:
            cloud.testbed("up", "2")
            for host, zone in ZONES.items():
                if host:
                    cloud.testbed("join", host, f"--zone={zone}")
            eventually(60, "three hosts", lambda: cloud.ctl("host", "list", "--output=json").count('"up"') == 3)

            ec2, placed = cloud.client(), {}
            for host, zone in ZONES.items():
                reply = ec2.run_instances(ImageId=cloud.image, InstanceType="t2.nano", MinCount=GUESTS[host], MaxCount=GUESTS[host], Placement={"AvailabilityZone": zone})
                placed[host] = sorted(i["InstanceId"] for i in reply["Instances"])
            everyone = [i for ids in placed.values() for i in ids]
            for instance in everyone:
                eventually(120, f"{instance} on its console", lambda i=instance: cloud.last_tick(i) >= 0)
            self.domains_are(cloud, GUESTS)

            # An agent that dies and comes back finds its guests running and leaves them so.
            before = {i: cloud.last_tick(i) for i in placed["h2"]}
            cloud.testbed("kill-agent", "h2")
            time.sleep(1)
            cloud.testbed("start-agent", "h2")
            for instance in placed["h2"]:
                eventually(60, f"{instance} to tick on", lambda i=instance: cloud.last_tick(i) > before[i] + 2)
                self.assertEqual(cloud.boots(instance), 1, f"{instance} was not adopted but started again")

            # A host without power: its guests are down and stay where their disks are.
            cloud.testbed("kill", "h1")
            time.sleep(10)
            self.domains_are(cloud, {h: GUESTS[h] for h in (None, "h2")})
            cloud.testbed("start", "h1")
            for instance in placed["h1"]:
                eventually(90, f"{instance} to boot again", lambda i=instance: cloud.boots(i) == 2)
            self.domains_are(cloud, GUESTS)
            for instance in placed[None] + placed["h2"]:
                self.assertEqual(cloud.boots(instance), 1, f"{instance} was touched by its neighbour's failure")
            eventually(60, "all to run", lambda: all(i["State"]["Name"] == "running" for i in cloud.instances().values()))

            # A cut cable and a daemon that restarts meanwhile: guests go on, the host is seen again.
            cloud.testbed("partition", "h2")
            cloud.kill("berthd")
            cloud.start("berthd")
            time.sleep(5)
            cloud.testbed("heal", "h2")
            eventually(90, "three hosts again", lambda: cloud.ctl("host", "list", "--output=json").count('"up"') == 3)
            for instance in placed["h2"]:
                before = cloud.last_tick(instance)
                eventually(60, f"{instance} to tick on", lambda i=instance, b=before: cloud.last_tick(i) > b)
                self.assertEqual(cloud.boots(instance), 1)

            ec2.terminate_instances(InstanceIds=everyone)
            eventually(90, "all to end", lambda: not cloud.instances())
            self.domains_are(cloud, {h: 0 for h in ZONES})

    def domains_are(self, cloud, counts):
        for host, count in counts.items():
            eventually(30, f"{count} guests on {host or 'this machine'}", lambda h=host, c=count: len(cloud.domains(h)) == c)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
