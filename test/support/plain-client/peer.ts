/**
 * One connection of a plain client. Both sides offer, the larger id yields; messages are handled as they come and not
 * one after the other, which is where the first trap of the protocol comes from; a dead connection is kept.
 */
import type { Surroundings } from './surroundings.ts';

/** An impolite client ignores an offer which comes so soon after an answer, in milliseconds. */
const DEAF_AFTER_ANSWER = 5;

/** How a complaint begins of an answer that was taken before. It costs nothing: the state stays, the next one fits. */
export const SAID_TWICE = 'An answer said twice:';

export interface Sent {
  readonly source: 'mic' | 'camera' | 'screen';
  readonly track: MediaStreamTrack;
  readonly stream: MediaStream;
}

export interface PeerHooks {
  readonly surroundings: Surroundings;
  readonly selfId: string;
  readonly fileLabel: string;
  signal(type: string, data: { sdp: string } | { candidate: string }): void;
  channel(channel: RTCDataChannel): void;
  /** Something arrived that is to be shown or heard. */
  media(): void;
  error(error: unknown): void;
}

export class PlainPeer {
  readonly pc: RTCPeerConnection;
  readonly polite: boolean;
  /** Whatever arrived last is what is shown. */
  picture: MediaStreamTrack | null = null;
  sound: MediaStreamTrack | null = null;
  /** How many video tracks have arrived so far. */
  pictures = 0;
  channel: RTCDataChannel | null = null;
  ignored = 0;
  private makingOffer = false;
  private ignoring = false;
  private answeredAt = -Infinity;
  private readonly senders = new Map<Sent['source'], RTCRtpSender>();
  private early: RTCIceCandidateInit[] = [];
  /** The last answer that was taken. */
  private answered = '';

  constructor(
    readonly id: string,
    private readonly hooks: PeerHooks,
    sent: readonly Sent[],
  ) {
    this.polite = hooks.selfId.localeCompare(id) > 0;
    const pc = (this.pc = hooks.surroundings.createPeerConnection({ iceServers: [] }));
    pc.onnegotiationneeded = () => this.run(() => this.offer());
    pc.onicecandidate = ({ candidate }) => {
      if (candidate) hooks.signal('webrtc.iceCandidate', { candidate: JSON.stringify(candidate.toJSON()) });
    };
    pc.ontrack = ({ track }) => {
      if (track.kind === 'audio') this.sound = track;
      else {
        this.picture = track;
        this.pictures += 1;
      }
      hooks.media();
    };
    pc.ondatachannel = ({ channel }) => {
      if (channel.label === `${hooks.fileLabel}:`) this.useChannel(channel);
    };
    for (const each of sent) this.add(each);
    if (!this.polite) this.useChannel(pc.createDataChannel(`${hooks.fileLabel}:`));
  }

  add({ source, track, stream }: Sent): void {
    this.senders.set(source, this.pc.addTrack(track, stream));
  }

  remove(source: Sent['source']): void {
    const sender = this.senders.get(source);
    if (sender) this.pc.removeTrack(sender);
    this.senders.delete(source);
  }

  receive(type: string, data: { sdp?: string; candidate?: string }): void {
    if (type === 'webrtc.offer') this.run(() => this.onOffer(data.sdp ?? ''));
    else if (type === 'webrtc.answer') this.run(() => this.onAnswer(data.sdp ?? ''));
    else this.run(() => this.onCandidate(JSON.parse(data.candidate ?? '') as RTCIceCandidateInit));
  }

  close(): void {
    this.pc.onnegotiationneeded = this.pc.onicecandidate = this.pc.ontrack = this.pc.ondatachannel = null;
    this.pc.close();
  }

  private useChannel(channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer';
    this.channel = channel;
    this.hooks.channel(channel);
  }

  private run(task: () => Promise<void>): void {
    task().catch((error: unknown) => {
      if (this.pc.signalingState !== 'closed') this.hooks.error(error);
    });
  }

  private async offer(): Promise<void> {
    const { pc } = this;
    this.makingOffer = true;
    try {
      await pc.setLocalDescription();
    } finally {
      this.makingOffer = false;
    }
    if (pc.localDescription?.type === 'offer') {
      this.hooks.signal('webrtc.offer', { sdp: pc.localDescription.sdp });
    }
  }

  private async onOffer(sdp: string): Promise<void> {
    const { pc } = this;
    const deaf = this.hooks.surroundings.now() - this.answeredAt < DEAF_AFTER_ANSWER;
    this.ignoring = !this.polite && (deaf || this.makingOffer || pc.signalingState !== 'stable');
    if (this.ignoring) {
      this.ignored += 1;
      return;
    }
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await this.takeEarly();
    await pc.setLocalDescription();
    if (pc.localDescription) this.hooks.signal('webrtc.answer', { sdp: pc.localDescription.sdp });
  }

  private async onAnswer(sdp: string): Promise<void> {
    this.answeredAt = this.hooks.surroundings.now();
    if (this.pc.signalingState !== 'have-local-offer') return;
    await this.pc.setRemoteDescription({ type: 'answer', sdp }).catch((error: unknown) => {
      // Ours says an answer again after a microphone's toggle, since the first one may have been lost.
      throw sdp === this.answered ? new Error(`${SAID_TWICE} ${String(error)}`, { cause: error }) : error;
    });
    this.answered = sdp;
    await this.takeEarly();
  }

  private async onCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (typeof candidate !== 'object') throw new TypeError('not a candidate');
    if (this.ignoring) return;
    if (!this.pc.remoteDescription) {
      this.early.push(candidate);
      return;
    }
    // A candidate that is of no use is lost without a word.
    await this.pc.addIceCandidate(candidate).catch(() => undefined);
  }

  private async takeEarly(): Promise<void> {
    for (const candidate of this.early.splice(0)) {
      await this.pc.addIceCandidate(candidate).catch(() => undefined);
    }
  }
}
