import { commands } from '#ui/bindings';
import type { Connection } from '#ui/bindings';
import { useClient } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import styles from '#ui/home/Home.module.css';
import { Notice } from '#ui/home/Notice';
import { Notices } from '#ui/home/Notices';
import { Recent, RecentHeading } from '#ui/home/Recent';
import { People } from '#ui/people/People';
import { attempt } from '#ui/problems';

type Props = { onOpen: (panel: 'invite' | 'settings') => void; search: string; onSearch: (text: string) => void };

/** Nobody is being called: the people, and the calls there were. */
export function Home({ onOpen, search, onSearch }: Props) {
  const mayInvite = useClient((client) => client.me.role !== 'guest') ?? false;
  return (
    <div className={styles.home}>
      <aside className={styles.side}>
        <Me onSettings={() => onOpen('settings')} />
        <People onInvite={mayInvite ? () => onOpen('invite') : null} text={search} onText={onSearch} />
        {mayInvite && (
          <footer className={styles.foot}>
            <Button label="Invite somebody" onPress={() => onOpen('invite')}>
              <Icon name="invite" /> Invite somebody
            </Button>
          </footer>
        )}
      </aside>
      <main className={styles.main}>
        <Notices />
        <WrongServer />
        <RecentHeading />
        <Recent />
      </main>
    </div>
  );
}

/** Whoever answers at the server's address is not the server: a new invite leads to the right one. */
function WrongServer() {
  const isWrong = useClient((client) => client.connection.status === 'wrongServer') ?? false;
  return (
    isWrong && (
      <Notice
        says="Another server answers at the address of yours."
        means="Nothing rings here until you come in again."
      >
        <Button label="I have a new invite" kind="main" onPress={() => void attempt(commands.signInAnew())} />
      </Notice>
    )
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
