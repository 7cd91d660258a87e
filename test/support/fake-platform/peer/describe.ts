/** createOffer and createAnswer (RFC 9429 sections 5.2 and 5.3). */
import type { Credentials } from './candidates.ts';
import { formatSdp, intersect, reverse, sends, type Direction, type Section } from './sdp.ts';
import type { Draft, PeerState } from './state.ts';
import type { FakeTransceiver } from './transceiver.ts';

function rejected(kind: Section['kind'], mid: string): Section {
  return {
    kind,
    mid,
    rejected: true,
    bundleOnly: false,
    direction: 'inactive',
    msids: null,
    trackId: null,
    ufrag: '',
    pwd: '',
    fingerprint: '',
    setup: '',
    candidates: [],
    ended: false,
  };
}

class Builder {
  readonly sections: Section[] = [];
  readonly owners = new Map<string, FakeTransceiver>();

  constructor(
    private readonly peer: PeerState,
    private readonly credentials: Credentials,
    private readonly setup: string,
  ) {}

  private transportFields(): Pick<
    Section,
    'ufrag' | 'pwd' | 'fingerprint' | 'setup' | 'candidates' | 'ended'
  > {
    return {
      ...this.credentials,
      fingerprint: this.peer.fingerprint,
      setup: this.setup,
      candidates: [],
      ended: false,
    };
  }

  private isBundleOnly(index: number): boolean {
    const { peer } = this;
    if (peer.scope.flavour !== 'firefox' || this.setup !== 'actpass') return false;
    const first = this.sections.findIndex((section) => !section?.rejected);
    return first >= 0 && first < index && (peer.currentLocal?.sdp.sections[index]?.rejected ?? true);
  }

  media(index: number, transceiver: FakeTransceiver, mid: string, value: Direction): void {
    // Chromium names the streams of whoever wants to send (RFC 9429 section 5.3.1), Firefox of whoever may.
    const sending = sends(this.peer.scope.flavour === 'chromium' ? transceiver.wanted : value);
    this.sections[index] = {
      kind: transceiver.kind,
      mid,
      rejected: false,
      bundleOnly: this.isBundleOnly(index),
      direction: value,
      msids: sending ? [...transceiver.sender.streamIds] : null,
      trackId: sending ? transceiver.sender.id : null,
      ...this.transportFields(),
    };
    this.owners.set(mid, transceiver);
  }

  data(index: number, mid: string): void {
    const bundleOnly = this.isBundleOnly(index);
    const none = { rejected: false, bundleOnly, direction: 'sendrecv', msids: null, trackId: null } as const;
    this.sections[index] = { kind: 'application', mid, ...none, ...this.transportFields() };
  }

  reject(index: number, kind: Section['kind'], mid: string): void {
    this.sections[index] = rejected(kind, mid);
  }

  draft(): Draft {
    const { peer, sections } = this;
    const first = sections.find((section) => !section.rejected);
    if (first) {
      const gathered = peer.ice.gathered(this.credentials.ufrag);
      first.candidates = gathered.lines;
      first.ended = gathered.done;
    }
    const sdp = { sessionId: peer.sessionId, version: (peer.version += 1), sections };
    return { sdp, owners: this.owners, text: formatSdp(sdp) };
  }
}

export function draftOffer(peer: PeerState, iceRestart: boolean): Draft {
  const builder = new Builder(peer, peer.ice.offerCredentials(iceRestart), 'actpass');
  const base = (peer.pendingLocal ?? peer.currentLocal)?.sdp.sections ?? [];
  const recyclable: number[] = [];
  let hasData = false;
  for (const [index, section] of base.entries()) {
    const transceiver = peer.transceivers.find((each) => each.mid === section.mid && each.index === index);
    if (section.kind === 'application') {
      hasData = true;
      if (section.rejected) builder.reject(index, section.kind, section.mid);
      else builder.data(index, section.mid);
    } else if (transceiver && !transceiver.stopping) {
      builder.media(index, transceiver, section.mid, transceiver.wanted);
    } else {
      builder.reject(index, section.kind, section.mid);
      const negotiated = [peer.currentLocal, peer.currentRemote].some(
        (each) => each?.sdp.sections[index]?.rejected,
      );
      if (negotiated && (!transceiver || transceiver.stopped)) recyclable.push(index);
    }
  }
  for (const transceiver of peer.transceivers) {
    if (transceiver.stopping || transceiver.mid !== null) continue;
    const index = recyclable.shift() ?? builder.sections.length;
    builder.media(index, transceiver, peer.newMid(), transceiver.wanted);
  }
  if (peer.channels.everCreated && !hasData) builder.data(builder.sections.length, peer.newMid());
  return builder.draft();
}

export function draftAnswer(peer: PeerState): Draft {
  const offered = peer.pendingRemote?.sdp.sections ?? [];
  const offeredSetup = offered.find((section) => !section.rejected)?.setup;
  const role = peer.dtlsRole ?? (offeredSetup === 'active' ? 'server' : 'client');
  const builder = new Builder(peer, peer.ice.answerCredentials(), role === 'client' ? 'active' : 'passive');
  for (const [index, section] of offered.entries()) {
    const transceiver = peer.transceivers.find((each) => each.mid === section.mid);
    if (section.rejected) builder.reject(index, section.kind, section.mid);
    else if (section.kind === 'application') builder.data(index, section.mid);
    else if (!transceiver || transceiver.stopping) builder.reject(index, section.kind, section.mid);
    else {
      const value = intersect(transceiver.wanted, reverse(section.direction));
      builder.media(index, transceiver, section.mid, value);
    }
  }
  return builder.draft();
}
