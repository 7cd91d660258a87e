/** What a server that knows nothing of our extension leaves of a signal. */
import { expect } from '@open-wc/testing';
import { fromSignal, toSignal } from '../../src/core/call/wire.ts';
import type { Signal } from '../../src/core/transport/transport.ts';

const SDP =
  'v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n';

/** Sent over a server that passes on what it knows alone. */
function passed(signal: Signal): Signal {
  const { type, data } = fromSignal('standup', 'jonas', signal, true) as {
    type: 'webrtc.offer';
    data: object;
  };
  const { sdp, to } = data as { sdp: string; to: string };
  return toSignal({ type, room: 'standup', from: 'maya', data: { sdp, to } });
}

describe('a signal by way of a plain server', () => {
  for (const kind of ['offer', 'answer'] as const)
    it(`${kind}: keeps its connection and its numbers`, () => {
      const { payload, ...rest } = passed({ kind, payload: SDP, conn: 'c0ffee', offer: 2, seq: 7 });
      expect(rest).to.deep.equal({ kind, conn: 'c0ffee', offer: 2, seq: 7 });
      expect(payload.replace(/^a=x-pm:.*\r\n/m, '')).to.equal(SDP);
    });

  it('keeps its connection where there are no numbers', () => {
    const { conn, offer, seq } = passed({ kind: 'answer', payload: SDP, conn: 'c0ffee' });
    expect({ conn, offer, seq }).to.deep.equal({ conn: 'c0ffee', offer: undefined, seq: undefined });
  });

  it('is left alone where it goes to an original client', () => {
    const signal = { kind: 'offer', payload: SDP, offer: 2, seq: 1 } as const;
    expect(passed(signal)).to.deep.equal({ kind: 'offer', payload: SDP });
  });

  it("of a stranger's making is taken for what it is worth", () => {
    const data = { sdp: SDP, to: 'jonas', offer: '2', seq: -1 };
    expect(toSignal({ type: 'webrtc.offer', room: 'standup', from: 'maya', data })).to.deep.equal({
      kind: 'offer',
      payload: SDP,
    });
  });
});
