/** A picture as the shell sends it: kind, time in microseconds, size, data; numbers little-endian. */
export type Packet = {
  kind: 'delta' | 'key' | 'i420';
  timestamp: number;
  width: number;
  height: number;
  data: Uint8Array;
};

const HEAD = 13;
const KINDS = ['delta', 'key', 'i420'] as const;

/** Reads a message of the frame socket; `null` when it makes no sense. */
export function readPacket(message: ArrayBuffer): Packet | null {
  if (message.byteLength < HEAD) {
    return null;
  }
  const view = new DataView(message);
  const kind = KINDS[view.getUint8(0)];
  if (kind === undefined) {
    return null;
  }
  return {
    kind,
    timestamp: Number(view.getBigUint64(1, true)),
    width: view.getUint16(9, true),
    height: view.getUint16(11, true),
    data: new Uint8Array(message, HEAD),
  };
}
