/** Messages that may wait. */
const MOST = 1_000;

/** Keeps what arrives on a channel until its reader is there; the answer hands it over. Too much closes the channel. */
export function keepEarly(channel: RTCDataChannel): () => void {
  const early: MessageEvent[] = [];
  channel.onmessage = (event) => early.push(event) > MOST && channel.close();
  return () => {
    for (const event of early) channel.onmessage?.(event);
  };
}
