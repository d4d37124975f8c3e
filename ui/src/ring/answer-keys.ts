/** What can be done with a ring. */
export type Answer = 'accept' | 'accept-with-video' | 'decline';

/** The keys as people read them. Chords, because no key that types or presses something may answer by accident. */
export const KEYS: Record<Answer, string> = {
  accept: 'Alt+Shift+A',
  'accept-with-video': 'Alt+Shift+V',
  decline: 'Alt+Shift+D',
};

type Press = Pick<KeyboardEvent, 'code' | 'altKey' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'repeat'>;

/** The answer that a press of keys means. By place on the keyboard: with Alt, the letter may be another one. */
export function answerOf(press: Press): Answer | null {
  if (!press.altKey || !press.shiftKey || press.ctrlKey || press.metaKey || press.repeat) {
    return null;
  }
  switch (press.code) {
    case 'KeyA':
      return 'accept';
    case 'KeyV':
      return 'accept-with-video';
    case 'KeyD':
      return 'decline';
    default:
      return null;
  }
}
