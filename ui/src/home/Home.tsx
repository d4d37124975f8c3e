import { useState } from 'react';

import type { Connection } from '#ui/bindings';
import { useClient } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import styles from '#ui/home/Home.module.css';
import { Invite } from '#ui/home/Invite';
import { Notices } from '#ui/home/Notices';
import { Recent } from '#ui/home/Recent';
import { People } from '#ui/people/People';
import { Settings } from '#ui/settings/Settings';

type Panel = 'invite' | 'settings' | null;

/** Nobody is being called: the people, and the calls there were. */
export function Home() {
  const [panel, open] = useState<Panel>(null);
  const mayInvite = useClient((client) => client.me.role !== 'guest') ?? false;
  return (
    <div className={styles.home}>
      <aside className={styles.side}>
        <Me onSettings={() => open('settings')} />
        <People onInvite={mayInvite ? () => open('invite') : null} />
        {mayInvite && (
          <footer className={styles.foot}>
            <Button label="Invite somebody" onPress={() => open('invite')}>
              <Icon name="invite" /> Invite somebody
            </Button>
          </footer>
        )}
      </aside>
      <main className={styles.main}>
        <Notices />
        <h2>Recent calls</h2>
        <Recent />
      </main>
      {panel === 'invite' && <Invite onClose={() => open(null)} />}
      {panel === 'settings' && <Settings onClose={() => open(null)} />}
    </div>
  );
}

function Me({ onSettings }: { onSettings: () => void }) {
  const me = useClient((client) => client.me);
  const connection = useClient((client) => client.connection);
  const server = useClient((client) => client.serverName);
  const isQuiet = useClient((client) => client.isQuiet);
  if (me === undefined || connection === undefined) {
    return null;
  }
  return (
    <header className={styles.me}>
      <Avatar name={me.name} size={44} id={me.id} />
      <div>
        <strong title={me.name}>{me.name}</strong>
        <small data-status={connection.status} title={'why' in connection ? connection.why : undefined}>
          {statusLine(connection, server ?? '', isQuiet ?? false)}
        </small>
      </div>
      <Button label="Settings" kind="round" onPress={onSettings}>
        <Icon name="settings" size={22} />
      </Button>
    </header>
  );
}

function statusLine(connection: Connection, server: string, isQuiet: boolean): string {
  switch (connection.status) {
    case 'connecting':
      return 'Connecting…';
    case 'online':
      return isQuiet ? `${server} · Do not disturb` : server;
    case 'offline':
      return 'Server not reachable, trying again…';
    case 'wrongServer':
      return 'Another server answers there: ask for a new invite';
    case 'signedOut':
      return 'Signed out';
  }
}
