import { useEffect } from 'react';

import { commands } from '#ui/bindings';
import type { CallView, DeviceView } from '#ui/bindings';
import styles from '#ui/call/Controls.module.css';
import { Icon } from '#ui/components/Icon';
import { attempt } from '#ui/problems';

/** Microphone, camera, and the way out. */
export function Controls({ call }: { call: CallView }) {
  const { joined } = call;
  const microphoneOn = joined !== null && isOn(joined.microphone);
  const cameraOn = joined !== null && isOn(joined.camera);
  const isJoined = joined !== null;
  const { cid } = call;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const key = event.key.toLowerCase();
      if (event.ctrlKey && event.shiftKey && key === 'e') {
        void attempt(commands.leave(cid));
      } else if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !isJoined) {
        return;
      } else if (key === 'm') {
        void attempt(commands.setMicrophone(cid, !microphoneOn));
      } else if (key === 'v') {
        void attempt(commands.setCamera(cid, !cameraOn));
      }
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [cid, isJoined, microphoneOn, cameraOn]);
  const isGroup = isJoined && joined.participants.length > 2;
  return (
    <footer className={styles.controls}>
      {isJoined && (
        <>
          <button
            type="button"
            className={styles.control}
            data-on={microphoneOn}
            aria-label={microphoneOn ? 'Mute' : 'Unmute'}
            title={microphoneOn ? 'Mute (M)' : 'Unmute (M)'}
            onClick={() => void attempt(commands.setMicrophone(cid, !microphoneOn))}
          >
            <Icon name={microphoneOn ? 'mic' : 'micOff'} size={24} />
          </button>
          <button
            type="button"
            className={styles.control}
            data-on={cameraOn}
            aria-label={cameraOn ? 'Camera off' : 'Camera on'}
            title={cameraOn ? 'Camera off (V)' : 'Camera on (V)'}
            onClick={() => void attempt(commands.setCamera(cid, !cameraOn))}
          >
            <Icon name={cameraOn ? 'video' : 'videoOff'} size={25} />
          </button>
        </>
      )}
      <button
        type="button"
        className={styles.control}
        data-kind="hang-up"
        aria-label={isJoined ? 'Hang up' : 'Cancel the call'}
        title={isJoined ? 'Hang up (Ctrl+Shift+E)' : 'Cancel the call (Ctrl+Shift+E)'}
        onClick={() => void attempt(commands.leave(cid))}
      >
        <Icon name="hangup" size={28} />
      </button>
      {isGroup && call.ownCapabilities.includes('end-call') && (
        <button type="button" className={styles.all} onClick={() => void attempt(commands.end(cid))}>
          End for everyone
        </button>
      )}
    </footer>
  );
}

/** Wanted on: a device that fails is one that is switched on. */
function isOn(device: DeviceView): boolean {
  switch (device.status) {
    case 'on':
    case 'failed':
      return true;
    case 'off':
      return false;
  }
}
