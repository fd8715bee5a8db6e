# berthctl completion bash: load it with  source <(berthctl completion bash)
_berthctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} words=() word verbs= flags= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
    -*) ;;
    =) i=$((i + 1)) ;;
    *) words+=("$word") ;;
    esac
  done
  case ${words[0]-} in
    zone) verbs='list create' ;;
    tenant) verbs='list show create enable disable quota' ;;
    key) verbs='list create enable disable delete' ;;
    host) verbs='list show enroll cordon uncordon remove' ;;
    type) verbs='list put delete' ;;
    image) verbs='list import delete' ;;
    instance) verbs='list show' ;;
    placement) verbs='explain' ;;
    region) verbs='show unknown adopt release' ;;
    backup) verbs='create list' ;;
    audit) verbs='list verify' ;;
  esac
  case "${words[0]-} ${words[1]-}" in
    'zone create') flags='--jurisdiction= --operator=' ;;
    'tenant create') flags='--id=' ;;
    'tenant quota') flags='--instances= --vcpus= --memory_mib= --disk_gib= --key_pairs= --images=' ;;
    'key list') flags='--tenant=' ;;
    'host enroll') flags='--zone= --rack= --tags= --join_file=' ;;
    'type put') flags='--vcpus= --memory_mib= --threads_per_core= --burstable --current_generation --free_tier_eligible --network_mbps= --ebs_mbps= --cpu_vendor= --dedicated_cpus' ;;
    'image import') flags='--name= --format= --public --tenant= --description=' ;;
    'instance list') flags='--tenant= --host= --state=' ;;
    'capacity') flags='--type=' ;;
    'region adopt') flags='--instance=' ;;
    'region release') flags='--keep_unknown --without_hosts' ;;
    'audit list') flags='--first=' ;;
    'pack') flags='--host= --hosts= --policy= --average_from= --moves_per_hour= --placements= --plot=' ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags --socket= --url= --cert= --key= --ca= --output= --help" -- "$cur"))
    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
  elif ((${#words[@]} == 0)); then
    COMPREPLY=($(compgen -W "status zone tenant key host type image instance placement capacity region backup audit pack help completion" -- "$cur"))
  elif ((${#words[@]} == 1)); then
    COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -F _berthctl berthctl
