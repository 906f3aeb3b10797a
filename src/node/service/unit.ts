// The systemd unit: a process that can do what a mirror must, and nothing else (systemd.exec(5), "Sandboxing").
import { argumentsOf, factLines, mostFiles, type Places, type ServiceFacts, stopSeconds } from './facts.ts';

const stateRoot = '/var/lib/';

export function unitText(facts: ServiceFacts, places: Places): string {
  const { program, user, privileged, atHome } = facts;
  const command = [quoted(program), ...argumentsOf(facts).map(argument)].join(' ');
  const capability = privileged ? 'CAP_NET_BIND_SERVICE' : '';
  return `# sampan as a systemd service, written by \`sampan service install\`, which writes it anew.
${factLines(facts)}
[Unit]
Description=sampan, a mirror for container images
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=${user}
EnvironmentFile=-${places.environment}
ExecStart=${command}
# Reads the configuration anew; no connection is dropped.
ExecReload=/bin/kill -HUP $MAINPID
KillSignal=SIGTERM
TimeoutStopSec=${stopSeconds(facts)}
Restart=on-failure
RestartSec=5
# A configuration that is wrong does not get right by trying again.
RestartPreventExitStatus=2
# A reload that comes while it starts.
RestartForceExitStatus=SIGHUP
LimitNOFILE=${mostFiles}
UMask=0077

${writable(facts.data)}
ProtectSystem=strict
ProtectHome=${atHome ? 'read-only' : 'yes'}
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
NoNewPrivileges=yes
CapabilityBoundingSet=${capability}
AmbientCapabilities=${capability}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
# Not MemoryDenyWriteExecute: the compiler of JavaScript makes code.

[Install]
WantedBy=multi-user.target
`;
}

/** The only place that it may write to. Below /var/lib systemd makes it, and gives it to the user. */
function writable(data: string): string {
  if (!data.startsWith(stateRoot)) return `ReadWritePaths=${quoted(data)}`;
  return `StateDirectory=${quoted(data.slice(stateRoot.length))}\nStateDirectoryMode=0700`;
}

/** As one word (systemd.unit(5), "Specifiers"; systemd.syntax(7), "Quoting"). */
function quoted(text: string): string {
  const word = text.replaceAll('%', '%%');
  return /^[\w@%+=:,./$-]+$/.test(word) ? word : `"${word.replace(/[\\"]/g, '\\$&')}"`;
}

/** After the program, variables are put in (systemd.service(5), "Command lines"). */
function argument(text: string): string {
  return quoted(text).replaceAll('$', '$$$$');
}
