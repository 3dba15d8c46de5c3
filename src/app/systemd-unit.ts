import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface UnitOptions {
  readonly user: string;
  readonly data: string;
  readonly configFile: string;
}

/** Where the unit is to be saved. */
export const UNIT_PATH = '/etc/systemd/system/postern.service';

/** The command that starts this very installation. */
export function launcher(): string {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
  return join(root, 'bin', 'postern.mjs');
}

/**
 * The systemd unit of a server: started as an ordinary user that may bind low ports and write its data, nothing else.
 * Memory that is both written and executed must stay allowed: Node compiles as it runs. Large buffers are taken from the
 * system and given back to it one by one; else glibc would keep the room of the largest ones for good.
 */
export function systemdUnit({ user, data, configFile }: UnitOptions): string {
  const program = launcher();
  const start = [process.execPath, program, 'serve', '--config', configFile].map(quote).join(' ');
  const home = [process.execPath, program, configFile].some((path) => /^\/(?:home|root)\//.test(path));
  return `[Unit]
Description=Postern mail server
Documentation=file://${join(dirname(dirname(program)), 'README.md')}
After=network-online.target nss-lookup.target
Wants=network-online.target

[Service]
Type=exec
ExecStart=${start}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
TimeoutStopSec=60
User=${user}
LimitNOFILE=65536
Environment=MALLOC_MMAP_THRESHOLD_=1048576 MALLOC_TRIM_THRESHOLD_=2097152 MALLOC_ARENA_MAX=2
UMask=0077
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${quote(data)}
ProtectHome=${home ? 'read-only' : 'yes'}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** systemd.syntax(7): quoted when there is anything but plain characters; % begins a specifier. */
function quote(text: string): string {
  const escaped = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Whether this machine runs systemd. */
export function hasSystemd(): boolean {
  return existsSync('/run/systemd/system');
}
