import { useEffect, useState } from 'react';

import { commands } from '#ui/bindings';
import type { DeviceEntry } from '#ui/bindings';
import { Button } from '#ui/components/Button';
import { Sure } from '#ui/components/Sure';
import { useNow } from '#ui/components/use-now';
import { attempt } from '#ui/problems';
import styles from '#ui/settings/MyDevices.module.css';
import { onDay } from '#ui/words';

type Listed = { devices: DeviceEntry[] } | 'asking' | 'failed';

/** Where this person is signed in: every device rings, and any of them can sign another out. */
export function MyDevices({ onAdd }: { onAdd: () => void }) {
  const [listed, list] = useState<Listed>('asking');
  const [turn, again] = useState(0);
  useEffect(() => {
    let isOpen = true;
    void commands.myDevices().then((answer) => {
      if (isOpen) {
        list(answer.status === 'ok' ? { devices: answer.data } : 'failed');
      }
    });
    return () => {
      isOpen = false;
    };
  }, [turn]);
  if (listed === 'asking') {
    return <p className={styles.word}>Looking for your devices…</p>;
  }
  if (listed === 'failed') {
    return (
      <div className={styles.row}>
        <p className={styles.word}>The server cannot say now where you are signed in.</p>
        <Button
          label="Try again"
          onPress={() => {
            list('asking');
            again(turn + 1);
          }}
        />
      </div>
    );
  }
  const signOut = async (device: DeviceEntry) => {
    await attempt(commands.signOutDevice(device.id), `device ${device.id}`);
    again(turn + 1);
  };
  return (
    <>
      <ul className={styles.devices} aria-label="Your devices">
        {listed.devices.map((device) => (
          <Row key={device.id} device={device} onSignOut={() => void signOut(device)} />
        ))}
      </ul>
      <div className={styles.row}>
        <p className={styles.word}>A call rings on all of them; the first that accepts has it.</p>
        <Button label="Add another device" onPress={onAdd} />
      </div>
    </>
  );
}

function Row({ device, onSignOut }: { device: DeviceEntry; onSignOut: () => void }) {
  const now = useNow(60_000);
  const since = onDay(device.created_at, now);
  return (
    <li className={styles.row} data-role="device">
      <p>
        <strong title={device.name}>{device.name}</strong>
        <small>
          {device.is_this ? 'This device, s' : 'S'}igned in {since}
        </small>
      </p>
      {!device.is_this && (
        <Sure
          label={`Sign out ${device.name}`}
          sure={`Really sign out ${device.name}`}
          says={['Sign out', 'Really sign out']}
          onPress={onSignOut}
        />
      )}
    </li>
  );
}
