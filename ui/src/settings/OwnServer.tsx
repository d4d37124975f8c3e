import { commands } from '#ui/bindings';
import type { FromOutside, OwnServer as Server } from '#ui/bindings';
import { Switch } from '#ui/components/Switch';
import { attempt } from '#ui/problems';
import styles from '#ui/settings/Settings.module.css';

/** The server inside this app, and whether friends outside one's own network come in to it. */
export function OwnServer({ server }: { server: Server }) {
  const way = server.outside.way;
  return (
    <>
      <p className={styles.word}>
        {server.name} runs in this app, and is there for the others while Bellbird runs. It is at {server.address}.
      </p>
      <Switch
        name="Let in friends outside your home"
        explains="Asks your router to pass calls on to this computer. Invites that you make then lead here from anywhere; your server starts anew when you switch this."
        isOn={way !== 'closed'}
        isBusy={way === 'asking'}
        onChange={(isOn) => void attempt(commands.letOutsideIn(isOn))}
      />
      {way !== 'closed' && (
        <p className={styles.word} role="status" data-role="outside">
          {comesIn(server.outside)}
        </p>
      )}
    </>
  );
}

function comesIn(outside: Exclude<FromOutside, { way: 'closed' }>): string {
  switch (outside.way) {
    case 'asking':
      return 'Asking your router…';
    case 'open':
      return `Friends come in from anywhere, at ${outside.address}. Make new invites for those who are outside.`;
    case 'untried':
      return `Your router lets friends in at ${outside.address}. Whether they get through cannot be seen from inside: send somebody outside a new invite. Where a link does not work at home, its code does.`;
    case 'taken':
      return `Your router lets friends in at ${outside.address}, but another machine answers there. Look at its own page which one has this port.`;
    case 'behind':
      return `Your router is at ${outside.address}, which is no address of the internet: another router stands before it and has to pass this port on as well, or your provider has to give you a public address.`;
    case 'refused':
      return `Nobody comes in from outside: ${outside.why}.`;
  }
}
