import { useEffect, useRef, useState } from 'react';

import { commands } from '#ui/bindings';
import type { CallView } from '#ui/bindings';
import { AddPeople } from '#ui/call/AddPeople';
import styles from '#ui/call/Controls.module.css';
import { isOn } from '#ui/call/devices-on';
import { may, whyNot } from '#ui/call/rights';
import { Speaking } from '#ui/call/Speaking';
import { Icon } from '#ui/components/Icon';
import { Sure } from '#ui/components/Sure';
import { attempt } from '#ui/problems';

/** Microphone, camera, devices, and the way out. The focus comes here when a call begins. */
export function Controls({ call, onSettings }: { call: CallView; onSettings: () => void }) {
  const place = useRef<HTMLElement>(null);
  const [isAdding, add] = useState(false);
  useEffect(() => place.current?.focus(), []);
  const { joined } = call;
  const microphoneOn = joined !== null && isOn(joined.microphone);
  const cameraOn = joined !== null && isOn(joined.camera);
  const isJoined = joined !== null;
  const { cid } = call;
  const [noVoice, noPicture] = [whyNot(call, 'send-audio'), whyNot(call, 'send-video')];
  const [maySpeak, mayShow] = [noVoice === null, noPicture === null];
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const key = event.key.toLowerCase();
      if (event.ctrlKey && event.shiftKey && key === 'e') {
        void attempt(commands.leave(cid));
      } else if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !isJoined || isTyping(event)) {
        return;
      } else if (key === 'm' && maySpeak) {
        void attempt(commands.setMicrophone(cid, !microphoneOn));
      } else if (key === 'v' && mayShow) {
        void attempt(commands.setCamera(cid, !cameraOn));
      }
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [cid, isJoined, microphoneOn, cameraOn, maySpeak, mayShow]);
  const isGroup = isJoined && joined.participants.length > 2;
  return (
    <footer ref={place} className={styles.controls} role="group" aria-label="Call" tabIndex={-1}>
      {isJoined && (
        <>
          <button
            type="button"
            className={styles.control}
            data-on={microphoneOn}
            aria-label={microphoneOn ? 'Mute' : 'Unmute'}
            title={noVoice ?? (microphoneOn ? 'Mute (M)' : 'Unmute (M)')}
            disabled={!maySpeak}
            onClick={() => void attempt(commands.setMicrophone(cid, !microphoneOn))}
          >
            <Icon name={microphoneOn ? 'mic' : 'micOff'} size={24} />
          </button>
          <button
            type="button"
            className={styles.control}
            data-on={cameraOn}
            aria-label={cameraOn ? 'Camera off' : 'Camera on'}
            title={noPicture ?? (cameraOn ? 'Camera off (V)' : 'Camera on (V)')}
            disabled={!mayShow}
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
      <button
        type="button"
        className={styles.control}
        aria-label="Settings"
        title="Microphone, speaker, camera and more"
        onClick={onSettings}
      >
        <Icon name="settings" size={24} />
      </button>
      {isJoined && may(call, 'ring') && (
        <button
          type="button"
          className={styles.control}
          aria-label="Add people"
          title="Ring more people into this call"
          onClick={() => add(true)}
        >
          <Icon name="invite" size={24} />
        </button>
      )}
      {isJoined && <Speaking cid={cid} whyNot={noVoice} isOn={microphoneOn} />}
      {isGroup && may(call, 'end-call') && (
        <div className={styles.all}>
          <Sure
            label="End for everyone"
            sure="Really end for everyone"
            says={['End for everyone', 'Really end']}
            onPress={() => void attempt(commands.end(cid))}
          />
        </div>
      )}
      {isAdding && <AddPeople call={call} onClose={() => add(false)} />}
    </footer>
  );
}

/** A dialog is open, or something is typed or chosen: its letters are no commands. */
function isTyping(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest('dialog, input, select, textarea') !== null;
}
