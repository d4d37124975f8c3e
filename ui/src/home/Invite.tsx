import { useEffect, useState } from 'react';

import { commands } from '#ui/bindings';
import type { InviteLink, InviteWish } from '#ui/bindings';
import { Button } from '#ui/components/Button';
import { Dialog } from '#ui/components/Dialog';
import { Icon } from '#ui/components/Icon';
import { useNow } from '#ui/components/use-now';
import { copy } from '#ui/home/copy';
import styles from '#ui/home/Invite.module.css';
import { InviteWishes, MINE, USUAL } from '#ui/home/InviteWishes';
import { attempt } from '#ui/problems';
import { clock, onDay } from '#ui/words';

/** For whom an invite is. */
export type InviteFor = 'somebody' | 'me';

/** A link that lets somebody in: to send, to read aloud, or to show to a camera. */
export function Invite({ whom, onClose }: { whom: InviteFor; onClose: () => void }) {
  const [wish, change] = useState(whom === 'me' ? MINE : USUAL);
  const { invite, hasFailed } = useInvite(wish);
  const uses = wish.uses ?? 1;
  return (
    <Dialog title={whom === 'me' ? 'Add another device' : 'Invite somebody'} onClose={onClose}>
      <p>{explains(whom, uses)}</p>
      <div className={styles.ways}>
        <div className={styles.words}>
          <div className={styles.link} data-role="invite">
            {invite?.link ?? (hasFailed ? 'No link could be made.' : 'Making a link…')}
          </div>
          <Copy key={invite?.link} link={invite?.link ?? null} />
          {invite !== null && (
            <p className={styles.aloud}>
              Or read this code aloud:
              <span data-role="code">{invite.code}</span>
            </p>
          )}
        </div>
        {invite?.qr != null && (
          <img
            className={styles.qr}
            src={`data:image/svg+xml,${encodeURIComponent(invite.qr)}`}
            alt="The link as a QR code"
          />
        )}
      </div>
      {whom === 'somebody' && <InviteWishes wish={wish} onChange={change} />}
      {invite !== null && <Until invite={invite} uses={uses} />}
    </Dialog>
  );
}

function explains(whom: InviteFor, uses: number): string {
  if (whom === 'me') {
    return 'Open Bellbird on your other computer and give it this link. It signs in as you, with your name, and every call rings there too. Show it to nobody else.';
  }
  return uses === 1
    ? 'Send this link to one person, by any way you trust. Whoever pastes it into Bellbird first can call and be called here.'
    : `Send this link by any way you trust. The first ${uses} who open it can call and be called here.`;
}

/** The invite for a wish; another wish makes another one. */
function useInvite(wish: InviteWish): { invite: InviteLink | null; hasFailed: boolean } {
  const [made, setMade] = useState<{ wish: InviteWish; invite: InviteLink | undefined } | null>(null);
  useEffect(() => {
    let isWanted = true;
    void attempt(commands.createInvite(wish)).then((invite) => {
      if (isWanted) {
        setMade({ wish, invite });
      }
    });
    return () => {
      isWanted = false;
    };
  }, [wish]);
  const isThis = made?.wish === wish;
  return { invite: isThis ? (made.invite ?? null) : null, hasFailed: isThis && made.invite === undefined };
}

function Copy({ link }: { link: string | null }) {
  const [copied, setCopied] = useState(false);
  return (
    <Button
      label={copied ? 'Copied' : 'Copy link'}
      kind="main"
      disabled={link === null}
      onPress={() => {
        if (link !== null) {
          void copy(link).then(setCopied);
        }
      }}
    >
      <Icon name={copied ? 'check' : 'copy'} size={18} /> {copied ? 'Copied' : 'Copy link'}
    </Button>
  );
}

function Until({ invite, uses }: { invite: InviteLink; uses: number }) {
  const now = useNow(60_000);
  return (
    <p className={styles.hint}>
      It works {uses === 1 ? 'once' : `${uses} times`}, until {clock(invite.expiresAt)} {onDay(invite.expiresAt, now)}.
      In Bellbird, link or code go under “I have an invite”.
    </p>
  );
}
