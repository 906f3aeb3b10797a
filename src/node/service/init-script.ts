// The init script for machines without systemd: the verbs and exit codes of the LSB, over Debian's start-stop-daemon.
import {
  argumentsOf,
  factLines,
  mostFiles,
  type Places,
  type ServiceFacts,
  servingName,
  stopSeconds,
} from './facts.ts';
import { shellWord } from './shell-word.ts';

export function initScriptText(facts: ServiceFacts, places: Places): string {
  const { program, config, user } = facts;
  return `#!/bin/sh
# sampan as a service without systemd, written by \`sampan service install\`, which writes it anew.
${factLines(facts)}
### BEGIN INIT INFO
# Provides:          sampan
# Required-Start:    $network $remote_fs
# Required-Stop:     $network $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: sampan, a mirror for container images
### END INIT INFO

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
program=${shellWord(program)}
config=${shellWord(config ?? '')}
user=${shellWord(user)}
pidfile=${shellWord(places.pidFile)}
log=${shellWord(places.log)}
environment=${shellWord(places.environment)}

say() { echo "sampan: $*"; }
die() { code=$1; shift; say "$*" >&2; exit "$code"; }

daemon() { start-stop-daemon --quiet --pidfile "$pidfile" --user "$user" "$@"; }
running() { daemon --status; }
# With the variables of its file, and none of whoever calls.
cleanly() {
  env -i PATH="$PATH" sh -c 'cd /; set -a; [ ! -r "$0" ] || . "$0"; set +a; exec "$@"' "$environment" "$@"
}
# It calls itself so as soon as it listens.
serving() { [ "$(cat "/proc/$(cat "$pidfile" 2>/dev/null)/comm" 2>/dev/null)" = ${shellWord(servingName)} ]; }

start() {
  [ -x "$program" ] || die 5 "$program is not there"
  [ -z "$config" ] || [ -r "$config" ] || die 6 "$config is not there"
  if running; then say "runs already"; return; fi
  ulimit -n ${mostFiles} 2>/dev/null || :
  (umask 077; : >>"$log")
  cleanly start-stop-daemon --quiet --pidfile "$pidfile" --user "$user" \\
    --start --background --no-close --make-pidfile --chuid "$user" --chdir / --umask 077 \\
    --startas "$program" -- ${argumentsOf(facts).map(shellWord).join(' ')} </dev/null >>"$log" 2>&1 || die 1 "cannot be started"
  tries=300
  missed=0
  until serving; do
    sleep 0.2 2>/dev/null || sleep 1
    # start-stop-daemon is done before its child is what we look for.
    if running; then missed=0; else missed=$((missed + 1)); fi
    [ $missed -lt 5 ] || { rm -f "$pidfile"; tail -n 5 "$log" >&2; die 1 "did not start; $log says why"; }
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { say "is still starting; $log may say why"; return; }
  done
  say "started"
}

stop() {
  daemon --stop --oknodo --retry=TERM/${stopSeconds(facts)}/KILL/5 || die 1 "cannot be stopped"
  # One that runs as another user is none that this looks for.
  if serving; then die 1 "process $(cat "$pidfile") serves, and not as $user"; fi
  rm -f "$pidfile"
  say "stopped"
}

reload() {
  running || die 7 "does not run"
  # Before that, a hang-up would end it.
  serving || die 1 "is still starting"
  daemon --stop --signal HUP || die 1 "cannot be told"
  say "reads its configuration anew; $log says what changed"
}

status() {
  running
  code=$?
  case $code in
    0) say "runs" ;;
    1) say "does not run, though $pidfile is there" ;;
    3) say "does not run" ;;
    *) say "nobody knows whether it runs" ;;
  esac
  exit "$code"
}

[ $# -eq 1 ] || die 2 "usage: $0 {start|stop|restart|reload|force-reload|status}"
case $1 in
  status) status ;;
  start | stop | restart | reload | force-reload)
    [ "$(id -u)" -eq 0 ] || die 4 "only root may $1 it"
    ;;
  try-restart) die 3 "$1 is none of its verbs" ;;
  *) die 2 "usage: $0 {start|stop|restart|reload|force-reload|status}" ;;
esac
case $1 in
  start) start ;;
  stop) stop ;;
  restart) stop; start ;;
  reload | force-reload) reload ;;
esac
`;
}
