import type { FramesAddress } from '#ui/bindings';
import { toRgba } from '#ui/video/i420';
import { readPacket } from '#ui/video/packet';
import type { Packet } from '#ui/video/packet';

const VP8: VideoDecoderConfig = { codec: 'vp8', optimizeForLatency: true };
/** More pictures than this in the decoder: it is too slow, and old pictures are worth nothing. */
const MOST_IN_DECODER = 6;
const RECONNECT_MS = 500;

/** A picture to be drawn. */
export type Drawable = { source: VideoFrame | ImageData; width: number; height: number };

/** Follows a track until the returned function is called. A hidden page follows nothing. */
export function watch(address: FramesAddress, track: string, draw: (picture: Drawable) => void): () => void {
  let follower: Follower | null = null;
  const follow = () => {
    follower?.end();
    follower = document.hidden ? null : new Follower(address, track, draw);
  };
  follow();
  document.addEventListener('visibilitychange', follow);
  return () => {
    document.removeEventListener('visibilitychange', follow);
    follower?.end();
  };
}

let supported: Promise<boolean> | null = null;

/** Whether the page decodes VP8 itself; where it does not, Rust does. */
function decodesVp8(): Promise<boolean> {
  supported ??= askDecoder();
  return supported;
}

async function askDecoder(): Promise<boolean> {
  if (typeof VideoDecoder === 'undefined') {
    return false;
  }
  const answer = await VideoDecoder.isConfigSupported(VP8).catch(() => null);
  return answer?.supported ?? false;
}

class Follower {
  private socket: WebSocket | null = null;
  private decoder: VideoDecoder | null = null;
  private waitsForKey = true;
  private isOver = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly url: string;
  private readonly draw: (picture: Drawable) => void;

  constructor(address: FramesAddress, track: string, draw: (picture: Drawable) => void) {
    this.url = `${address.url}?secret=${address.secret}&track=${track}`;
    this.draw = draw;
    void decodesVp8().then((isSupported) => this.open(isSupported));
  }

  end(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.socket?.close();
    this.closeDecoder();
  }

  private open(isSupported: boolean): void {
    if (this.isOver) {
      return;
    }
    const socket = new WebSocket(this.url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => socket.send(JSON.stringify({ codec: isSupported ? 'vp8' : 'i420' }));
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      const packet = readPacket(event.data);
      if (packet !== null && !this.isOver) {
        this.take(packet);
      }
    };
    socket.onclose = () => {
      this.closeDecoder();
      if (!this.isOver) {
        this.timer = setTimeout(() => this.open(isSupported), RECONNECT_MS);
      }
    };
    this.socket = socket;
  }

  private take(packet: Packet): void {
    if (packet.kind === 'i420') {
      const { width, height } = packet;
      this.draw({ source: new ImageData(toRgba(packet.data, width, height), width, height), width, height });
      return;
    }
    if (this.waitsForKey && packet.kind !== 'key') {
      return;
    }
    const decoder = this.decoder ?? this.makeDecoder();
    if (decoder.decodeQueueSize > MOST_IN_DECODER) {
      this.beginAnew();
      return;
    }
    this.waitsForKey = false;
    decoder.decode(new EncodedVideoChunk({ type: packet.kind, timestamp: packet.timestamp, data: packet.data }));
  }

  private makeDecoder(): VideoDecoder {
    const decoder = new VideoDecoder({
      output: (frame) => {
        if (!this.isOver) {
          this.draw({ source: frame, width: frame.displayWidth, height: frame.displayHeight });
        }
        frame.close();
      },
      error: () => this.beginAnew(),
    });
    decoder.configure(VP8);
    this.decoder = decoder;
    return decoder;
  }

  /** The next picture that stands alone is asked for; everything before it is passed over. */
  private beginAnew(): void {
    this.closeDecoder();
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify('key'));
    }
  }

  private closeDecoder(): void {
    const decoder = this.decoder;
    this.decoder = null;
    this.waitsForKey = true;
    if (decoder !== null && decoder.state !== 'closed') {
      decoder.close();
    }
  }
}
