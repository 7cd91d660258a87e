/**
 * Every event, as a class: its type, how it travels, what it carries. Notices (`pm-…`) say on `<pm-room>` what
 * happened and cannot be cancelled. Requests (`pm-…-request`) are fired by the element that was used, before anything
 * happens; `preventDefault()` keeps it from happening. All of them bubble and leave shadow roots.
 */
import type { CallEvents, DeviceKind } from '../core/index.ts';

type EventClass<D, A extends unknown[] = [detail: D]> = new (...args: A) => CustomEvent<D>;

function eventClass<D>(type: string, cancelable: boolean) {
  return class extends CustomEvent<D> {
    constructor(detail: D) {
      super(type, { detail, bubbles: true, composed: true, cancelable });
    }
  };
}
const notice = <K extends keyof CallEvents>(name: K): EventClass<CallEvents[K]> =>
  eventClass(`pm-${name}`, false);
const request = <D = object>(name: string): EventClass<D, [detail?: D]> =>
  eventClass(`pm-${name}-request`, true) as EventClass<D, [detail?: D]>;

/** The phase changed; `reason` says why a call ended. */
export const PmStateChangeEvent = notice('state-change');
/** One is in the room. */
export const PmJoinedEvent = notice('joined');
/** One is no longer in the room. */
export const PmLeftEvent = notice('left');
/** In a two-person call: both are there. */
export const PmReadyEvent = notice('ready');
export const PmParticipantJoinedEvent = notice('participant-joined');
export const PmParticipantUpdatedEvent = notice('participant-updated');
export const PmParticipantLeftEvent = notice('participant-left');
/** Somebody's media arrived: `stream` is the page's to play as well. */
export const PmTrackEvent = notice('track');
/** Something was plugged in or out, or the browser now tells what there is. */
export const PmDevicesChangeEvent = notice('devices-change');
/** Somebody, oneself included, reacted with one emoji. */
export const PmReactionEvent = notice('reaction');
/** Another page sent data. */
export const PmDataEvent = notice('data');
/** Somebody said something; one's own once the relay has echoed it. */
export const PmMessageEvent = notice('message');
/** A file is offered to or by somebody, or its transfer is in another state. */
export const PmFileEvent = notice('file');
/** Somebody else speaks now. */
export const PmActiveSpeakerEvent = notice('active-speaker');
/** How well somebody's media arrives changed; of oneself, what limits it. */
export const PmQualityEvent = notice('quality');
/** Somebody records, or no longer; one's own end comes with the file. */
export const PmRecordingChangeEvent = notice('recording-change');
/** Something failed; told apart by `code`. */
export const PmErrorEvent = notice('error');

/** In the lobby: see and check oneself before joining. */
export const PmPreviewRequestEvent = request('preview');
/** `name`: what the person typed, where there is a field for it. */
export const PmJoinRequestEvent = request<{ name?: string }>('join');
export const PmLeaveRequestEvent = request('leave');
/** `on` absent: the other of what is. */
export const PmMicRequestEvent = request<{ on?: boolean }>('mic');
export const PmCameraRequestEvent = request<{ on?: boolean }>('camera');
/** To be fired from within a gesture, where the browser looks for it. */
export const PmScreenRequestEvent = request<{ on?: boolean }>('screen');
export const PmDeviceRequestEvent = request<{ kind?: DeviceKind; id?: string }>('device');
export const PmHandRequestEvent = request<{ on?: boolean }>('hand');
export const PmFileSendRequestEvent = request<{ file?: Blob; to?: string }>('file-send');
export const PmReactionRequestEvent = request<{ emoji?: string }>('reaction');

export const PmChatSendRequestEvent = request<{ text?: string }>('chat-send');
/** Record the call, or stop. */
export const PmRecordRequestEvent = request<{ on?: boolean }>('record');

export type PmStateChangeEvent = InstanceType<typeof PmStateChangeEvent>;
export type PmJoinedEvent = InstanceType<typeof PmJoinedEvent>;
export type PmLeftEvent = InstanceType<typeof PmLeftEvent>;
export type PmReadyEvent = InstanceType<typeof PmReadyEvent>;
export type PmParticipantJoinedEvent = InstanceType<typeof PmParticipantJoinedEvent>;
export type PmParticipantUpdatedEvent = InstanceType<typeof PmParticipantUpdatedEvent>;
export type PmParticipantLeftEvent = InstanceType<typeof PmParticipantLeftEvent>;
export type PmTrackEvent = InstanceType<typeof PmTrackEvent>;
export type PmDevicesChangeEvent = InstanceType<typeof PmDevicesChangeEvent>;
export type PmReactionEvent = InstanceType<typeof PmReactionEvent>;
export type PmDataEvent = InstanceType<typeof PmDataEvent>;
export type PmMessageEvent = InstanceType<typeof PmMessageEvent>;
export type PmFileEvent = InstanceType<typeof PmFileEvent>;
export type PmActiveSpeakerEvent = InstanceType<typeof PmActiveSpeakerEvent>;
export type PmQualityEvent = InstanceType<typeof PmQualityEvent>;
export type PmRecordingChangeEvent = InstanceType<typeof PmRecordingChangeEvent>;
export type PmErrorEvent = InstanceType<typeof PmErrorEvent>;
export type PmPreviewRequestEvent = InstanceType<typeof PmPreviewRequestEvent>;
export type PmJoinRequestEvent = InstanceType<typeof PmJoinRequestEvent>;
export type PmLeaveRequestEvent = InstanceType<typeof PmLeaveRequestEvent>;
export type PmMicRequestEvent = InstanceType<typeof PmMicRequestEvent>;
export type PmCameraRequestEvent = InstanceType<typeof PmCameraRequestEvent>;
export type PmScreenRequestEvent = InstanceType<typeof PmScreenRequestEvent>;
export type PmDeviceRequestEvent = InstanceType<typeof PmDeviceRequestEvent>;
export type PmHandRequestEvent = InstanceType<typeof PmHandRequestEvent>;
export type PmFileSendRequestEvent = InstanceType<typeof PmFileSendRequestEvent>;
export type PmReactionRequestEvent = InstanceType<typeof PmReactionRequestEvent>;
export type PmChatSendRequestEvent = InstanceType<typeof PmChatSendRequestEvent>;
export type PmRecordRequestEvent = InstanceType<typeof PmRecordRequestEvent>;

/** The notice for each event of the call. */
export const notices: { [K in keyof CallEvents]: EventClass<CallEvents[K]> } = {
  'state-change': PmStateChangeEvent,
  joined: PmJoinedEvent,
  left: PmLeftEvent,
  ready: PmReadyEvent,
  'participant-joined': PmParticipantJoinedEvent,
  'participant-updated': PmParticipantUpdatedEvent,
  'participant-left': PmParticipantLeftEvent,
  track: PmTrackEvent,
  'devices-change': PmDevicesChangeEvent,
  reaction: PmReactionEvent,
  data: PmDataEvent,
  message: PmMessageEvent,
  file: PmFileEvent,
  'active-speaker': PmActiveSpeakerEvent,
  quality: PmQualityEvent,
  'recording-change': PmRecordingChangeEvent,
  error: PmErrorEvent,
};

export const requests = {
  preview: PmPreviewRequestEvent,
  join: PmJoinRequestEvent,
  leave: PmLeaveRequestEvent,
  mic: PmMicRequestEvent,
  camera: PmCameraRequestEvent,
  screen: PmScreenRequestEvent,
  device: PmDeviceRequestEvent,
  hand: PmHandRequestEvent,
  reaction: PmReactionRequestEvent,
  'chat-send': PmChatSendRequestEvent,
  'file-send': PmFileSendRequestEvent,
  record: PmRecordRequestEvent,
};
export type RequestName = keyof typeof requests;
export type RequestDetail<K extends RequestName> = InstanceType<(typeof requests)[K]>['detail'];

type Notices = { [K in keyof CallEvents as `pm-${K}`]: CustomEvent<CallEvents[K]> };
type Requests = { [K in RequestName as `pm-${K}-request`]: InstanceType<(typeof requests)[K]> };
declare global {
  interface HTMLElementEventMap extends Notices, Requests {}
}
