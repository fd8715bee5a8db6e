# A one-host cloud on this machine: how its programs are started, found again and removed. Sourced by
# quickstart; all knowledge of the programs' flags is here and, for further hosts, in testbed.
#
# Reads: state (the folder it lives in), bin, base_port, virt_type, berthd_flags. Sets: endpoint, socket, image, backend.
# Left in $state for tests and people: ports, berthd.command, agent.command (one shell line each),
# berthd.pid, agent.pid, berthd.log, agent.log, aws.env, tenant.json, image_id.

# ec2 WORDS...: the unmodified aws CLI against this cloud, deaf to the configuration of whoever runs it.
ec2() {
  (
    unset AWS_PROFILE AWS_SESSION_TOKEN
    # shellcheck disable=SC1091
    source "$state/aws.env"
    export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
    exec aws --endpoint-url "$endpoint" ec2 "$@"
  )
}

# field NAME: one member of the JSON object on standard input.
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

ctl() { "$bin/berthctl" "--socket=$socket" "$@"; }

# build_targets DIR JOBS TARGETS...: ninja with one line of progress; what failed is shown.
build_targets() {
  local dir=$1 jobs=$2 start
  shift 2
  start=$(mark)
  if ! ninja -C "$dir" -j "$jobs" "$@" 2>&1 </dev/null | tee "$dir/build.log" | one_line; then
    grep -A 20 -E '^(FAILED:|ninja: error)' "$dir/build.log" | head -n 60 >&2
    return 1
  fi
  note "built in $(since "$start") s"
}

# Each line overwrites the one before; silent when nobody watches.
one_line() {
  if [ ! -t 1 ]; then cat >/dev/null; return; fi
  local line
  while IFS= read -r line; do printf '\r      %-90.90s' "$line"; done
  printf '\r%-98s\r' ''
}

# ---- libvirt -----------------------------------------------------------------------------------

virsh_here() { virsh -q -c qemu:///system "$@" </dev/null; }

start_libvirt() {
  if timeout 10 virsh -q -c qemu:///system version >/dev/null 2>&1 </dev/null; then
    note "libvirtd runs already"
  elif [ -d /run/systemd/system ]; then
    systemctl start virtlogd.socket libvirtd.socket libvirtd.service || fail "systemd could not start libvirtd"
    note "libvirtd started by systemd"
  else
    # Without a log daemon of its own there is no console log.
    if ! alive /run/virtlogd.pid virtlogd && ! alive "$state/virtlogd.pid" virtlogd; then virtlogd -d -p "$state/virtlogd.pid"; fi
    libvirtd -d -p "$state/libvirtd.pid"
    wait_for 30 "libvirtd" timeout 10 virsh -q -c qemu:///system version || fail "libvirtd does not answer"
    note "libvirtd started (nobody else runs it here)"
  fi
}

# ---- ports -------------------------------------------------------------------------------------

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The ports of the first start stay those of this cloud: agents and aws.env name them.
choose_ports() {
  local p
  if [ -e "$state/ports" ]; then
    p=$(sed -n 's/^ec2_port=//p' "$state/ports")
    [ -z "$base_port" ] || [ "$base_port" = "$p" ] || fail "this cloud has its EC2 port at $p already"
    base_port=$p
  fi
  if [ -z "$base_port" ]; then
    for base_port in 8773 8783 8793 8803 8813 ''; do
      [ -n "$base_port" ] || fail "the ports 8773, 8783, ... 8813 are all taken: say --base_port=P"
      for p in 0 1 2 3; do port_is_free $((base_port + p)) || continue 2; done
      break
    done
  fi
  printf 'ec2_port=%d\nlink_port=%d\nmetrics_port=%d\nagent_metrics_port=%d\n' \
    "$base_port" $((base_port + 1)) $((base_port + 2)) $((base_port + 3)) >"$state/ports"
  endpoint=https://127.0.0.1:$base_port
  socket=$state/berthd/admin.sock
}

# ---- the two programs --------------------------------------------------------------------------

# launch NAME PROGRAM-NAME: runs $state/NAME.command in the background, with a log and a pid file.
launch() {
  setsid sh -c "exec $(cat "$state/$1.command")" </dev/null >>"$state/$1.log" 2>&1 &
  echo $! >"$state/$1.pid"
}

start_berthd() {
  local start
  if alive "$state/berthd.pid" berthd; then note "berthd runs already, pid $(cat "$state/berthd.pid")"; return; fi
  start=$(mark)
  mkdir -p "$state/berthd"
  printf '%q ' "$bin/berthd" "--data_dir=$state/berthd" --region=us-east-1 "--admin_socket=$socket" \
    "--ec2_listen=127.0.0.1:$base_port" "--link_listen=127.0.0.1:$((base_port + 1))" "--metrics_listen=127.0.0.1:$((base_port + 2))" \
    "${berthd_flags[@]}" >"$state/berthd.command"
  launch berthd
  wait_for 20 "berthd" ctl status || { tail -n 20 "$state/berthd.log" >&2; fail "berthd did not come up"; }
  note "berthd is up in $(since "$start") s: EC2 at $endpoint, log in $state/berthd.log"
}

host_is_up() { ctl host list --output=json | grep '"up"' >/dev/null; }

start_agent() {
  local start host
  if alive "$state/agent.pid" berth-agent; then note "berth-agent runs already, pid $(cat "$state/agent.pid")"; return; fi
  start=$(mark)
  mkdir -p "$state/agent"
  if [ ! -e "$state/agent.command" ]; then
    ctl zone create us-east-1a --jurisdiction=US --operator=quickstart >/dev/null 2>&1 || true   # it may be there from the start
    host=$(hostname)
    rm -f "$state/agent/join"
    ctl host enroll "${host%%.*}" --zone=us-east-1a "--join_file=$state/agent/join" >/dev/null || fail "the host could not be enrolled"
    printf '%q ' "$bin/berth-agent" "--data_dir=$state/agent" "--join_file=$state/agent/join" "--daemon=127.0.0.1:$((base_port + 1))" \
      --libvirt_uri=qemu:///system "--virt_type=$virt_type" "--metrics_listen=127.0.0.1:$((base_port + 3))" >"$state/agent.command"
  fi
  launch agent
  wait_for 90 "the host" host_is_up || { tail -n 20 "$state/agent.log" >&2; fail "the host did not join"; }
  note "the host joined in $(since "$start") s, log in $state/agent.log"
}

# ---- what a tenant has -------------------------------------------------------------------------

make_tenant() {
  local tenant key
  if [ ! -e "$state/aws.env" ]; then
    tenant=$(ctl tenant create quickstart --output=json) || fail "the tenant could not be made"
    printf '%s\n' "$tenant" >"$state/tenant.json"
    key=$(ctl key create "$(field id <<<"$tenant")" --output=json) || fail "the access key could not be made"
    (
      umask 077
      {
        echo "export AWS_ACCESS_KEY_ID=$(field access_key_id <<<"$key")"
        echo "export AWS_SECRET_ACCESS_KEY=$(field secret_access_key <<<"$key")"
        echo "export AWS_DEFAULT_REGION=us-east-1 AWS_CA_BUNDLE=$state/berthd/pki/ca.crt"
        echo "export AWS_EC2_METADATA_DISABLED=true AWS_PAGER="
      } >"$state/aws.env.part"
    )
    mv "$state/aws.env.part" "$state/aws.env"
  fi
  if [ ! -e "$state/image_id" ]; then
    image=$(ctl image import "$state/tiny.qcow2" --name=tiny --format=qcow2 --public --output=json | field id) || fail "the image could not be imported"
    echo "$image" >"$state/image_id"
  fi
  image=$(cat "$state/image_id")
  note "tenant $(field id <"$state/tenant.json"), image $image, keys in $state/aws.env"
}

# ---- the end -----------------------------------------------------------------------------------

keep_logs() {
  local kept=/tmp/berth-quickstart-failed
  rm -rf $kept
  mkdir -p $kept
  cp "$state"/*.log "$state"/*.command $kept/ 2>/dev/null || true
  printf '%s\n' "logs of the failed run: $kept" >&2
}

# Only guests whose disks are in this cloud's state are its own; others of this machine's libvirt stay.
take_down() {
  local guest
  [ -d "$state" ] || { say "nothing there: $state"; return 0; }
  stop "$state/agent.pid" berth-agent
  stop "$state/berthd.pid" berthd
  if command -v virsh >/dev/null && timeout 10 virsh -q -c qemu:///system version >/dev/null 2>&1 </dev/null; then
    for guest in $(virsh_here list --all --name); do
      # No -q: grep would leave while virsh still writes, which pipefail takes for a failure.
      virsh_here dumpxml "$guest" 2>/dev/null | grep "'$state/" >/dev/null || continue
      virsh_here destroy "$guest" >/dev/null 2>&1 || true
      virsh_here undefine "$guest" >/dev/null || true
    done
    # The agent's network, unless another cloud's agent or guests count on it.
    if [ -z "$(virsh_here list --name)" ] && ! pgrep -x berth-agent >/dev/null; then
      virsh_here net-destroy berth0 >/dev/null 2>&1 || true
      virsh_here net-undefine berth0 >/dev/null 2>&1 || true
    fi
  fi
  stop "$state/libvirtd.pid" libvirtd
  stop "$state/virtlogd.pid" virtlogd
  rm -rf "${state:?}"
  say "stopped and removed: $state"
}
