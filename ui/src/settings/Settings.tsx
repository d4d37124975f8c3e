import { useEffect, useState } from 'react';

import { commands } from '#ui/bindings';
import type { DeviceChoice, DeviceKind, Devices, SecretPlace } from '#ui/bindings';
import { useApp } from '#ui/client';
import { Dialog } from '#ui/components/Dialog';
import { Field } from '#ui/components/Field';
import { Sure } from '#ui/components/Sure';
import { Switch } from '#ui/components/Switch';
import { attempt } from '#ui/problems';
import { MyDevices } from '#ui/settings/MyDevices';
import { OwnServer } from '#ui/settings/OwnServer';
import { Profile } from '#ui/settings/Profile';
import { Quiet } from '#ui/settings/Quiet';
import styles from '#ui/settings/Settings.module.css';

/** Devices, how calls behave, and the way out. */
export function Settings({ onClose, onAddDevice }: { onClose: () => void; onAddDevice: () => void }) {
  const oneCall = useApp((app) => app?.oneCallAtATime ?? true);
  const isBusy = useApp((app) => app?.busyWhenInCall ?? false);
  const version = useApp((app) => app?.version ?? '');
  const server = useApp((app) => app?.server ?? null);
  const place = useApp((app) => app?.secretPlace ?? null);
  return (
    <Dialog title="Settings" onClose={onClose}>
      <div className={styles.parts}>
        <section className={styles.part}>
          <h3>You</h3>
          <Profile />
        </section>
        <section className={styles.part}>
          <h3>Sound and picture</h3>
          <DeviceFields />
        </section>
        <section className={styles.part}>
          <h3>Calls</h3>
          <Switch
            name="One call at a time"
            explains="Accepting a call, or starting one, leaves the call you are in."
            isOn={oneCall}
            onChange={(isOn) => void attempt(commands.setOneCallAtATime(isOn))}
          />
          <Switch
            name="Busy while in a call"
            explains="Who calls meanwhile hears that you are busy; you find the call among the missed ones."
            isOn={isBusy}
            onChange={(isOn) => void attempt(commands.setBusyWhenInCall(isOn))}
          />
        </section>
        <section className={styles.part}>
          <h3>Do not disturb</h3>
          <Quiet />
        </section>
        <section className={styles.part}>
          <h3>Your devices</h3>
          <MyDevices onAdd={onAddDevice} />
        </section>
        {server !== null && (
          <section className={styles.part}>
            <h3>Your server</h3>
            <OwnServer server={server} />
          </section>
        )}
        <section className={styles.part}>
          <h3>This device</h3>
          <p className={styles.word}>{secretIn(place)} Signed out, it needs a new invite to come back.</p>
        </section>
      </div>
      <footer className={styles.about}>
        <span>Bellbird {version}</span>
        <Sure label="Sign out" sure="Really sign out" onPress={() => void attempt(commands.signOut())} />
      </footer>
    </Dialog>
  );
}

function secretIn(place: SecretPlace | null): string {
  switch (place) {
    case 'keyring':
      return 'Your sign-in is kept in the keyring of this system.';
    case 'file':
      return 'This system has no keyring that can be used: your sign-in is kept in a file that only you can read.';
    case null:
      return 'Nobody is signed in.';
  }
}

function DeviceFields() {
  const [devices, setDevices] = useState<Devices | null>(null);
  useEffect(() => {
    let isOpen = true;
    const look = () =>
      void attempt(commands.devices()).then((found) => {
        if (isOpen && found !== undefined) {
          setDevices(found);
        }
      });
    look();
    // Devices come and go while the panel is open, and the system tells nobody.
    const timer = setInterval(look, 3000);
    return () => {
      isOpen = false;
      clearInterval(timer);
    };
  }, []);
  return (
    <>
      <Choice name="Microphone" kind="microphone" choices={devices?.microphones ?? null} />
      <Choice name="Speaker" kind="speaker" choices={devices?.speakers ?? null} />
      <Choice name="Camera" kind="camera" choices={devices?.cameras ?? null} />
    </>
  );
}

function Choice({ name, kind, choices }: { name: string; kind: DeviceKind; choices: DeviceChoice[] | null }) {
  const [picked, pick] = useState<string | null>(null);
  const found = choices ?? [];
  const chosen = picked ?? found.find((choice) => choice.chosen)?.id ?? '';
  return (
    <Field name={name}>
      <select
        value={chosen}
        disabled={found.length === 0}
        onChange={(event) => {
          pick(event.target.value);
          void attempt(commands.chooseDevice(kind, event.target.value));
        }}
      >
        {found.length === 0 && (
          <option value="">{choices === null ? 'Looking for devices…' : 'None was found. Plug one in'}</option>
        )}
        {found.map((choice) => (
          <option key={choice.id} value={choice.id}>
            {choice.name}
          </option>
        ))}
      </select>
    </Field>
  );
}
