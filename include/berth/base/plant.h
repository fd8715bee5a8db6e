#pragma once
// Plants: bugs that are kept, so that the simulator can prove that it would find them. Each stands
// where the rule it breaks stands, on one line:
//
//   if (!spec_ || PLANTED(older_specs_accepted) || is_newer(spec, *spec_)) …
//
// PLANTED is the constant false in every build but berth-sim-plants (tests/sim), which alone is
// compiled with BERTH_PLANTS and defines is_planted; what is compiled so links into nothing else.
// Included by .cc files only, and only by those that plant.

// PLANT(name, what a careless hand did)
#define BERTH_EVERY_PLANT(PLANT)                                                                 \
  /* daemon/driver */                                                                            \
  PLANT(replies_before_commit, "answers clients before their commit is durable")                 \
  PLANT(specs_before_commit, "sends hosts their specs before the commit is durable")             \
  PLANT(specs_of_undurable_state, "makes a spec when it is sent, of changes not yet durable")    \
  PLANT(failed_commit_acknowledged, "goes on after a commit that failed")                        \
  PLANT(audit_end_forgotten, "stores audit records without the end of their chain")              \
  PLANT(full_for_ever, "counts inputs that leave nothing to release, and never starts anew")     \
  /* daemon/core */                                                                              \
  PLANT(term_not_raised, "starts again in the term of the run before")                           \
  PLANT(audit_skipped, "writes no audit record for StopInstances")                               \
  PLANT(disabled_key_served, "looks whether a caller's key is there, not whether it is enabled") \
  PLANT(dry_run_acts, "does what a dry run only asks about")                                     \
  PLANT(generation_not_raised, "changes a spec without raising its generation")                  \
  PLANT(reboot_not_in_spec, "does not count a reboot as a change of the spec")                   \
  PLANT(released_on_wrong_host, "gives what an instance held back to another host")              \
  PLANT(released_twice, "gives what an instance held back twice")                                \
  PLANT(stopping_released, "gives back memory of an instance that still shuts down")             \
  PLANT(tombstone_dropped_early, "takes a guest that is off for one that is removed")            \
  PLANT(ended_at_terminate, "ends an instance at the call, not when its host has confirmed")     \
  PLANT(removal_takes_room_again, "lets what is being removed take its room again")              \
  PLANT(report_of_earlier_start, "believes a report of the start before")                        \
  PLANT(inner_shutdown_ignores_behaviour, "stops what should terminate when it shuts down")      \
  PLANT(stale_agent_left, "does not send again what an agent could not store")                   \
  PLANT(machine_not_compared, "believes a report of another machine with the host's identity")   \
  PLANT(token_forgotten, "stores no row for a client token")                                     \
  PLANT(token_parameters_ignored, "takes any request with a known token for the same")           \
  PLANT(token_expires_at_end, "forgets a token when its last instance ends")                     \
  PLANT(launch_quota_of_one, "checks the quota of a launch for one instance of many")            \
  PLANT(start_without_quota, "starts stopped instances whatever the quota says")                 \
  PLANT(start_without_room, "starts stopped instances whatever their host has left")             \
  PLANT(start_batch_counted_once, "looks at each start of a batch as if it were alone")          \
  PLANT(foreign_tenant_visible, "finds instances of any tenant by id")                           \
  PLANT(foreign_error_differs, "says of a foreign id something else than of an absent one")      \
  PLANT(protection_ignored, "terminates what is protected against it")                           \
  PLANT(tags_not_stored, "answers CreateTags and changes nothing")                               \
  PLANT(template_overrides, "lets a launch template's type win over the request's")              \
  PLANT(template_default_kept, "answers ModifyLaunchTemplate and changes nothing")               \
  PLANT(group_deleted_in_use, "deletes a placement group that still has instances")              \
  PLANT(foreign_group_visible, "takes the id of another tenant's placement group")               \
  PLANT(group_rule_ignored, "places the members of a group as if there were no group")           \
  PLANT(group_spread_over_hosts, "spreads over hosts where racks are asked for")                 \
  PLANT(group_partitions_mixed, "lets the partitions of a group share racks")                    \
  PLANT(group_eighth_spread, "lets an eighth of a spread group into a zone")                     \
  PLANT(group_cluster_torn, "places a cluster group in any rack of its zone")                    \
  PLANT(records_reaped_early, "forgets terminated instances at once")                            \
  /* daemon/placement */                                                                         \
  PLANT(batch_placed_apart, "places each instance of a launch as if it were alone")              \
  PLANT(memory_oversold, "sells a host's last gibibyte of memory twice")                         \
  PLANT(cordon_ignored, "places new instances on cordoned hosts")                                \
  PLANT(cpus_given_twice, "gives CPUs that another instance has to itself")                      \
  PLANT(shared_cpus_untold, "tells a host nothing of CPUs that are shared no more")              \
  /* agent/driver */                                                                             \
  PLANT(older_specs_accepted, "obeys whatever spec came last")                                   \
  PLANT(term_ignored, "compares generations across terms")                                       \
  PLANT(acts_before_stored, "acts on a spec that it could not store")                            \
  PLANT(clone_obeys, "acts on specs for the machine that this one is a clone of")                \
  PLANT(lease_from_reply, "counts its lease from the answer, not from the question")             \
  PLANT(stale_observation, "plans from what was seen while an action was under way")             \
  /* agent/core */                                                                               \
  PLANT(unknown_destroyed, "removes domains that no spec names")                                 \
  PLANT(inner_shutdown_restarted, "starts a guest again that shut itself down")                  \
  PLANT(disk_made_anew, "gives an instance that ran a fresh disk for a lost one")                \
  PLANT(starts_for_ever, "never gives up a start that fails")                                    \
  PLANT(power_button_only, "waits for ever for a guest that ignores the power button")           \
  PLANT(disk_forgotten, "calls an instance removed while its disk is there")                     \
  PLANT(stop_removes, "removes what should only be stopped")                                     \
  PLANT(pins_left, "never moves a guest that runs to other CPUs")

namespace berth {

enum class Plant {
  none,
#define BERTH_PLANT(name, what) name,
  BERTH_EVERY_PLANT(BERTH_PLANT)
#undef BERTH_PLANT
};

#ifdef BERTH_PLANTS
[[nodiscard]] bool is_planted(Plant plant);
#else
[[nodiscard]] consteval bool is_planted(Plant) {
  return false;
}
#endif

}  // namespace berth

#define PLANTED(name) (::berth::is_planted(::berth::Plant::name))
