import { useRef } from 'react';

import { commands } from '#ui/bindings';
import { useClient } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { attempt, showProblem } from '#ui/problems';
import { square } from '#ui/settings/square';
import styles from '#ui/settings/Settings.module.css';

/** The picture others see. */
export function Profile() {
  const me = useClient((client) => client.me);
  const input = useRef<HTMLInputElement>(null);
  if (me === undefined) {
    return null;
  }
  const choose = async (file: File | undefined) => {
    if (file === undefined) {
      return;
    }
    const image = await square(file);
    if (image === null) {
      showProblem({
        code: 'invalid-request',
        message: 'This file is no picture that can be shown. Choose a JPEG, PNG or WebP.',
      });
      return;
    }
    await attempt(commands.setAvatar(image));
  };
  return (
    <div className={styles.profile}>
      <Avatar name={me.name} size={56} id={me.id} />
      <strong>{me.name}</strong>
      <input
        ref={input}
        type="file"
        accept="image/jpeg,image/png,image/webp"
        aria-label="Picture file"
        hidden
        onChange={(event) => void choose(event.target.files?.[0])}
      />
      <Button
        label={me.avatar == null ? 'Choose a picture' : 'Change the picture'}
        onPress={() => input.current?.click()}
      />
      {me.avatar != null && (
        <Button label="Remove" kind="plain" onPress={() => void attempt(commands.setAvatar(null))} />
      )}
    </div>
  );
}
