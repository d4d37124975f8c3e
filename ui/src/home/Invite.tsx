import { useEffect, useState } from 'react';

import { commands } from '#ui/bindings';
import type { InviteLink } from '#ui/bindings';
import { Button } from '#ui/components/Button';
import { Dialog } from '#ui/components/Dialog';
import { Icon } from '#ui/components/Icon';
import { useNow } from '#ui/components/use-now';
import { copy } from '#ui/home/copy';
import styles from '#ui/home/Invite.module.css';
import { attempt } from '#ui/problems';
import { clock, day } from '#ui/words';

/** A link that lets one person in. */
export function Invite({ onClose }: { onClose: () => void }) {
  const [invite, setInvite] = useState<InviteLink | null>(null);
  const [copied, setCopied] = useState(false);
  const now = useNow(60_000);
  const [hasFailed, fail] = useState(false);
  useEffect(() => {
    void attempt(commands.createInvite()).then((made) => (made === undefined ? fail(true) : setInvite(made)));
  }, []);
  return (
    <Dialog title="Invite somebody" onClose={onClose}>
      <p>Send this link to one person, by any way you trust. Whoever opens it first can call and be called here.</p>
      <div className={styles.link} data-role="invite">
        {invite?.link ?? (hasFailed ? 'No link could be made.' : 'Making a link…')}
      </div>
      {invite !== null && (
        <p className={styles.hint}>
          It works once, until {day(invite.expiresAt, now)}, {clock(invite.expiresAt)}. In Bellbird it is pasted under
          “I have an invite”.
        </p>
      )}
      <div className={styles.actions}>
        <Button
          label={copied ? 'Copied' : 'Copy link'}
          kind="main"
          disabled={invite === null}
          onPress={() => {
            if (invite !== null) {
              void copy(invite.link).then(setCopied);
            }
          }}
        >
          <Icon name={copied ? 'check' : 'copy'} size={18} /> {copied ? 'Copied' : 'Copy link'}
        </Button>
      </div>
    </Dialog>
  );
}
