# Shared by the scripts of this folder; sourced, never run.
# Every script that sources this has `set -euo pipefail` on.

BERTH_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BERTH_CACHE=${BERTH_CACHE:-$BERTH_ROOT/build/cache}

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' plain=$'\e[0m'; else bold='' dim='' red='' plain=''; fi

say()  { printf '%s\n' "$*"; }
note() { printf '%s%s%s\n' "$dim" "      $*" "$plain"; }
fail() { printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2; exit 1; }

# usage_of FILE: a script's --help is the comment block under its first line.
usage_of() { sed -n '2,/^[^#]/{/^#/!q;s/^# \{0,1\}//;p}' "$1"; }

# Seconds since an arbitrary start with millisecond digits; `since MARK` prints the difference.
mark()  { date +%s.%N; }
since() { awk -v a="$1" -v b="$(mark)" 'BEGIN { printf "%.1f", b - a }'; }

# quietly LOG COMMAND...: the command's output goes to LOG and is shown (its tail) only when it fails.
quietly() {
  local log=$1; shift
  if ! "$@" >"$log" 2>&1 </dev/null; then
    printf '%s\n' "--- the last lines of $log" >&2
    tail -n 40 "$log" >&2
    return 1
  fi
}

# alive PIDFILE NAME: is the process in that file still a process of that name? A stale file is not one.
alive() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 1
  # A zombie keeps its name but has no program any more.
  [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] && [ -e "/proc/$pid/exe" ]
}

# stop PIDFILE NAME: asks politely, waits 20 s, then insists.
stop() {
  local pid i
  alive "$1" "$2" || { rm -f "$1"; return 0; }
  pid=$(cat "$1")
  kill -TERM "$pid" 2>/dev/null || true
  for i in $(seq 200); do
    alive "$1" "$2" || { rm -f "$1"; return 0; }
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$1"
}

# wait_for SECONDS WHAT COMMAND...: polls until the command succeeds.
wait_for() {
  local seconds=$1 what=$2 end
  shift 2
  end=$(( $(date +%s) + seconds ))
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$end" ] || { printf '%s\n' "waited $seconds s in vain for $what" >&2; return 1; }
    sleep 0.1
  done
}
