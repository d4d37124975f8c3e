// The guest inside the browser: a stock livekit-client in one room, with ears and eyes that measure what it receives.

import { DisconnectReason, Room, RoomEvent, Track, VideoPresets } from '/livekit-client.js';

// 32768 samples at 48 kHz are 0.7 s and bins of 1.5 Hz; the peak between two bins is interpolated.
const SAMPLE_RATE = 48_000;
const FFT_SIZE = 32_768;
// Below hearing there may be an offset, but no tone.
const LOWEST_HZ = 20;
// JSON has no -Infinity: this is what digital silence measures.
const SILENCE_DBFS = -120;
// Below this there is nothing whose frequency would mean anything.
const AUDIBLE_DBFS = -90;
const PATCH = 16;

const room = new Room({
  // Everything that would take a steady tone for noise is off; the rest are the defaults of a stock client.
  audioCaptureDefaults: {
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
    voiceIsolation: false,
  },
  videoCaptureDefaults: { resolution: VideoPresets.h360.resolution },
});
// Without a sink it runs on its own clock, so neither a missing sound card nor a muted one stops the measuring.
const audioContext = new AudioContext({ sampleRate: SAMPLE_RATE, sinkId: { type: 'none' } });
const canvas = new OffscreenCanvas(1, 1);
const pixels = canvas.getContext('2d', { willReadFrequently: true });
// How each subscribed track is measured, by the track's sid.
const meters = new Map();

room.on(RoomEvent.TrackSubscribed, (track) => {
  const element = track.attach();
  document.body.append(element);
  meters.set(track.sid, track.kind === Track.Kind.Audio ? audioMeter(track) : videoMeter(element));
});
room.on(RoomEvent.TrackUnsubscribed, (track) => {
  meters.get(track.sid)?.stop();
  meters.delete(track.sid);
  for (const element of track.detach()) element.remove();
});
room.on(RoomEvent.Reconnecting, () => console.warn('reconnecting'));
room.on(RoomEvent.Reconnected, () => console.warn('reconnected'));

// What guest.js calls; everything returned is plain JSON. A track of a report looks like this, with `audio` or `video`
// only while it is subscribed, `frequencyHz` null in silence and `colours` null before the first picture:
//
//   { sid, kind: 'audio', source: 'microphone', muted, subscribed, audio: { frequencyHz, levelDbfs } }
//   { sid, kind: 'video', source: 'camera', muted, subscribed,
//     video: { videoWidth, videoHeight, framesDecoded, colours: { topLeft: [red, green, blue], topRight, … } } }
globalThis.guest = {
  async join(url, token) {
    await audioContext.resume();
    await room.connect(url, token);
    // Only from here on: a connection that fails also ends in this event, but join reports that one.
    room.on(RoomEvent.Disconnected, (reason) => globalThis.tellDisconnected(nameOf(reason)));
    await room.localParticipant.setMicrophoneEnabled(true);
    await room.localParticipant.setCameraEnabled(true);
    return { identity: room.localParticipant.identity };
  },
  setMicrophone: async (on) => void (await room.localParticipant.setMicrophoneEnabled(on)),
  setCamera: async (on) => void (await room.localParticipant.setCameraEnabled(on)),
  leave: () => room.disconnect(),
  report: () => ({
    connection: room.state,
    microphone: room.localParticipant.isMicrophoneEnabled,
    camera: room.localParticipant.isCameraEnabled,
    participants: [...room.remoteParticipants.values()].map((participant) => ({
      identity: participant.identity,
      tracks: [...participant.trackPublications.values()].map(describe),
    })),
  }),
};

function nameOf(reason) {
  return DisconnectReason[reason ?? DisconnectReason.UNKNOWN_REASON] ?? String(reason);
}

function describe(publication) {
  const { trackSid: sid, kind, source, isMuted: muted, isSubscribed: subscribed } = publication;
  const track = { sid, kind, source, muted, subscribed };
  const meter = meters.get(sid);
  return meter ? { ...track, [kind]: meter.read() } : track;
}

function audioMeter(track) {
  const input = audioContext.createMediaStreamSource(new MediaStream([track.mediaStreamTrack]));
  const analyser = new AnalyserNode(audioContext, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 });
  const samples = new Float32Array(FFT_SIZE);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  input.connect(analyser);

  return {
    read() {
      analyser.getFloatTimeDomainData(samples);
      analyser.getFloatFrequencyData(spectrum);
      const meanSquare = samples.reduce((sum, sample) => sum + sample * sample, 0) / FFT_SIZE;
      const levelDbfs = Math.max(SILENCE_DBFS, 10 * Math.log10(meanSquare));
      return {
        frequencyHz: levelDbfs > AUDIBLE_DBFS ? round(loudestFrequency(spectrum)) : null,
        levelDbfs: round(levelDbfs),
      };
    },
    stop: () => input.disconnect(),
  };
}

function loudestFrequency(spectrum) {
  const binWidth = SAMPLE_RATE / FFT_SIZE;
  let peak = Math.ceil(LOWEST_HZ / binWidth);
  for (let bin = peak + 1; bin < spectrum.length - 1; bin++) {
    if (spectrum[bin] > spectrum[peak]) peak = bin;
  }
  // The top of the parabola through the peak and its neighbours: decibels of the analyser's window are nearly one.
  const [left, middle, right] = spectrum.subarray(peak - 1, peak + 2);
  const curve = left - 2 * middle + right;
  const offset = Number.isFinite(curve) && curve < 0 ? (left - right) / (2 * curve) : 0;
  return (peak + offset) * binWidth;
}

function videoMeter(element) {
  // The element counts from nothing again each time livekit-client detaches its stream, as it does while muted.
  let framesBefore = 0;
  let framesNow = 0;

  return {
    read() {
      const { videoWidth, videoHeight } = element;
      const { totalVideoFrames } = element.getVideoPlaybackQuality();
      if (totalVideoFrames < framesNow) framesBefore += framesNow;
      framesNow = totalVideoFrames;
      const hasPicture = element.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && videoWidth > 0;
      return {
        videoWidth,
        videoHeight,
        framesDecoded: framesBefore + framesNow,
        colours: hasPicture ? patchColours(element) : null,
      };
    },
    stop() {},
  };
}

// Mean colours around the centre and around the points that lie an eighth of the picture in from its corners.
function patchColours(element) {
  const { videoWidth: width, videoHeight: height } = element;
  Object.assign(canvas, { width, height });
  pixels.drawImage(element, 0, 0);
  return {
    topLeft: meanColour(width / 8, height / 8),
    topRight: meanColour((width * 7) / 8, height / 8),
    bottomLeft: meanColour(width / 8, (height * 7) / 8),
    bottomRight: meanColour((width * 7) / 8, (height * 7) / 8),
    centre: meanColour(width / 2, height / 2),
  };
}

function meanColour(x, y) {
  const { data } = pixels.getImageData(Math.round(x - PATCH / 2), Math.round(y - PATCH / 2), PATCH, PATCH);
  const sums = [0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    if (i % 4 < 3) sums[i % 4] += data[i];
  }
  return sums.map((sum) => round(sum / (PATCH * PATCH)));
}

function round(value) {
  return Math.round(value * 100) / 100;
}
