/**
 * What clients may send, checked: the relay's half of the schema. Clients do not import this file.
 *
 * Error texts are the original's, since its client shows them; extended clients are told apart by `code`.
 */
import { ProtocolError } from './codec.ts';
import { HOST_DATA, type HostMessage } from './host-message.ts';
import { codePoints, LIMITS } from './limits.ts';
import {
  candidateData,
  descriptionData,
  isPlain,
  joinData,
  leaveData,
  messageData,
  typingData,
  type ClientMessage,
} from './schema.ts';
import { number, object, optional, where, type Shape } from './shape.ts';

type Fields = Record<string, unknown>;
type Join = Extract<ClientMessage, { type: 'chat.join' }>;
type Leave = Extract<ClientMessage, { type: 'chat.leave' }>;
type Message = Extract<ClientMessage, { type: 'chat.message' }>;
type SignalType = 'webrtc.offer' | 'webrtc.answer' | 'webrtc.iceCandidate';

const pongData = object({ spoken: optional(where(number, (seconds) => seconds >= 0)) });

const INVALID_SIGNAL: Record<SignalType, string> = {
  'webrtc.offer': 'Invalid WebRTC offer payload',
  'webrtc.answer': 'Invalid WebRTC answer payload',
  'webrtc.iceCandidate': 'Invalid WebRTC ICE candidate payload',
};

/** `data` as an object which is safe to pass on. */
function fields(data: unknown, complaint: string): Fields {
  if (typeof data !== 'object' || data === null || Array.isArray(data) || !isPlain(data)) {
    throw new ProtocolError(complaint);
  }
  return data as Fields;
}

/** @throws {ProtocolError} `complaint` when `data` has another shape */
function parse<T>(shape: Shape<T>, data: unknown, complaint: string): T {
  if (!shape(data)) throw new ProtocolError(complaint);
  return data;
}

/**
 * The room of a message, exactly as sent: rooms are equal when their ids are, blanks included.
 * @throws {ProtocolError} when it is absent, blank or too long.
 */
function roomOf(value: Fields): string {
  const room = value['room'];
  if (typeof room !== 'string' || room.trim() === '') throw new ProtocolError('Room ID is required');
  if (codePoints(room) > LIMITS.roomLength) {
    throw new ProtocolError(`Room ID too long (maximum is ${LIMITS.roomLength} characters)`);
  }
  return room;
}

/** An original client's `chat.join` carries nothing that counts; ours names, offers and a capacity. */
function joinOf(data: unknown, ext: boolean): Join['data'] {
  if (!ext) return {};
  const plain = fields(data ?? {}, 'Invalid join payload');
  const name = plain['username'];
  if (typeof name === 'string' && codePoints(name.trim()) > LIMITS.nameLength) {
    throw new ProtocolError(`Username too long (maximum is ${LIMITS.nameLength} characters)`);
  }
  const { username, offers, capacity, password } = parse(joinData, plain, 'Invalid join payload');
  return {
    ...(username === undefined ? {} : { username: username.trim() }),
    ...(offers === undefined ? {} : { offers }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(password === undefined ? {} : { password }),
  };
}

function leaveOf(data: unknown): Leave['data'] {
  const { reason } = parse(leaveData, data ?? {}, 'Invalid leave payload');
  return reason === undefined ? {} : { reason };
}

function messageOf(data: unknown): Message['data'] {
  const complaint = 'Invalid chat message payload';
  const message = parse(messageData, fields(data, complaint), complaint);
  const length = codePoints(message.message.trim());
  if (length === 0) throw new ProtocolError('Message cannot be empty');
  if (length > LIMITS.messageLength) throw new ProtocolError('Message is too long');
  return message; // untrimmed: what people wrote is theirs, and ciphertext must not change
}

function signalOf(type: SignalType, value: Fields): Extract<ClientMessage, { type: SignalType }> {
  const complaint = INVALID_SIGNAL[type];
  const room = roomOf(value);
  const data = fields(value['data'], complaint);
  const payload = data[type === 'webrtc.iceCandidate' ? 'candidate' : 'sdp'];
  // "null" is how a client without care spells the end of candidates; the original refuses it, and so do we.
  if (
    typeof payload !== 'string' ||
    payload === '' ||
    (type === 'webrtc.iceCandidate' && payload === 'null')
  ) {
    throw new ProtocolError(complaint);
  }
  if (data['to'] === undefined || data['to'] === null || data['to'] === '') {
    throw new ProtocolError('Missing WebRTC recipient');
  }
  if (type === 'webrtc.iceCandidate') return { type, room, data: parse(candidateData, data, complaint) };
  return { type, room, data: parse(descriptionData, data, complaint) };
}

function hostMessageOf(type: HostMessage['type'], value: Fields): HostMessage {
  const room = roomOf(value);
  const data = parse(HOST_DATA[type] as Shape<object>, value['data'] ?? {}, `Invalid ${type} payload`);
  return { type, room, data } as HostMessage;
}

/**
 * A decoded frame as a message that a client may send. Unknown fields of `chat.message`, `chat.typing` and `webrtc.*`
 * data are kept (bounded by `isPlain`), everything else is dropped, `from` above all: the relay stamps its own.
 *
 * @param ext whether the sender speaks the extension: `relay.*` and the fields of `chat.join` exist for it alone
 * @throws {ProtocolError} with the text to answer.
 */
export function parseClientMessage(value: Fields, ext: boolean): ClientMessage | HostMessage {
  const type = value['type'];
  switch (type) {
    case 'chat.join':
      return { type, room: roomOf(value), data: joinOf(value['data'], ext) };
    case 'chat.leave':
      return {
        type,
        room: roomOf(value),
        data: ext ? leaveOf(value['data']) : {},
      };
    case 'chat.message':
      return { type, room: roomOf(value), data: messageOf(value['data']) };
    case 'chat.typing': {
      const complaint = 'Invalid typing payload';
      const room = roomOf(value);
      return { type, room, data: parse(typingData, fields(value['data'], complaint), complaint) };
    }
    case 'webrtc.offer':
    case 'webrtc.answer':
    case 'webrtc.iceCandidate':
      return signalOf(type, value);
    case 'utils.generateRoomID':
      return { type, data: {} };
    case 'relay.ping':
      if (ext) return { type, data: {} };
      break;
    case 'relay.pong': {
      if (!ext) break;
      const { spoken } = parse(pongData, value['data'] ?? {}, 'Invalid pong payload');
      return { type, data: spoken === undefined ? {} : { spoken } };
    }
  }
  if (ext && typeof type === 'string' && Object.hasOwn(HOST_DATA, type))
    return hostMessageOf(type as HostMessage['type'], value);
  throw new ProtocolError('Invalid message type');
}
