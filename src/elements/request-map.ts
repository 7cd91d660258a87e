/** From a request to the call's command. A click becomes one request; the request's default action is the command. */
import { PmError, type CallLike } from '../core/index.ts';
import { requests, type RequestDetail, type RequestName } from './events.ts';

type Commands = { [K in RequestName]: (call: CallLike, detail: RequestDetail<K>) => Promise<unknown> };

const commands: Commands = {
  preview: (call) => call.preview(),
  join: (call, { name }) => {
    if (name !== undefined) call.configure({ displayName: name });
    return call.join();
  },
  leave: (call) => call.leave(),
  mic: (call, { on }) => call.toggleMic(on),
  camera: (call, { on }) => call.toggleCamera(on),
  screen: (call, { on }) => call.toggleScreen(on),
  device: (call, { kind = 'mic', id = '' }) => call.setDevice(kind, id),
  hand: (call, { on }) => call.toggleHand(on),
  'file-send': (call, { file, to }) => call.sendFile(file as Blob, to === undefined ? {} : { to }),
  reaction: (call, { emoji = '' }) => call.react(emoji),
  'chat-send': (call, { text = '' }) => call.sendMessage(text),
  record: (call, { on = !call.snapshot.participants[0]!.recording }) =>
    on ? call.startRecording() : call.stopRecording(),
};

/** Marks a promise as handled, so that an inline `onclick` that drops it causes no unhandled rejection. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/**
 * Fires the request on `element` and, for an element outside, once more as a twin on its `room`. Unless one of them is
 * prevented the command runs in this very call stack: captures and pickers need the click's activation.
 */
export function request<K extends RequestName>(
  element: Element,
  room: Element | null,
  call: CallLike | null,
  name: K,
  detail: RequestDetail<K>,
): Promise<unknown> {
  const targets = room && !room.contains(element) ? [element, room] : [element];
  const Event = requests[name] as new (detail: RequestDetail<K>) => CustomEvent;
  if (!targets.every((target) => target.dispatchEvent(new Event(detail)))) return Promise.resolve();
  return handled(
    call
      ? commands[name](call, detail)
      : Promise.reject(new PmError('usage', `${element.localName} has no pm-room`)),
  );
}
