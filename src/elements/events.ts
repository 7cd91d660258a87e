/**
 * Every event, as a class: its type, how it travels, what it carries. Notices (`pm-…`) say on `<pm-room>` what
 * happened and cannot be cancelled. Requests (`pm-…-request`) are fired by the element that was used, before anything
 * happens; `preventDefault()` keeps it from happening. All of them bubble and leave shadow roots.
 */
import type { CallEvents } from '../core/index.ts';

abstract class Notice<D> extends CustomEvent<D> {
  constructor(type: string, detail: D, cancelable = false) {
    super(type, { detail, bubbles: true, composed: true, cancelable });
  }
}
abstract class Request<D> extends Notice<D> {
  constructor(type: string, detail: D) {
    super(`pm-${type}-request`, detail, true);
  }
}

/** The phase changed; `reason` says why a call ended. */
export class PmStateChangeEvent extends Notice<CallEvents['state-change']> {
  constructor(detail: CallEvents['state-change']) {
    super('pm-state-change', detail);
  }
}
/** One is in the room. */
export class PmJoinedEvent extends Notice<CallEvents['joined']> {
  constructor(detail: CallEvents['joined']) {
    super('pm-joined', detail);
  }
}
/** One is no longer in the room. */
export class PmLeftEvent extends Notice<CallEvents['left']> {
  constructor(detail: CallEvents['left']) {
    super('pm-left', detail);
  }
}
/** In a two-person call: both are there. */
export class PmReadyEvent extends Notice<CallEvents['ready']> {
  constructor(detail: CallEvents['ready']) {
    super('pm-ready', detail);
  }
}
export class PmParticipantJoinedEvent extends Notice<CallEvents['participant-joined']> {
  constructor(detail: CallEvents['participant-joined']) {
    super('pm-participant-joined', detail);
  }
}
export class PmParticipantUpdatedEvent extends Notice<CallEvents['participant-updated']> {
  constructor(detail: CallEvents['participant-updated']) {
    super('pm-participant-updated', detail);
  }
}
export class PmParticipantLeftEvent extends Notice<CallEvents['participant-left']> {
  constructor(detail: CallEvents['participant-left']) {
    super('pm-participant-left', detail);
  }
}
/** Somebody's media arrived: `stream` is the page's to play as well. */
export class PmTrackEvent extends Notice<CallEvents['track']> {
  constructor(detail: CallEvents['track']) {
    super('pm-track', detail);
  }
}
/** Something failed; told apart by `code`. */
export class PmErrorEvent extends Notice<CallEvents['error']> {
  constructor(detail: CallEvents['error']) {
    super('pm-error', detail);
  }
}

/** In the lobby: see and check oneself before joining. */
export class PmPreviewRequestEvent extends Request<object> {
  constructor(detail: object = {}) {
    super('preview', detail);
  }
}
/** `name`: what the person typed, where there is a field for it. */
export class PmJoinRequestEvent extends Request<{ name?: string }> {
  constructor(detail: { name?: string } = {}) {
    super('join', detail);
  }
}
export class PmLeaveRequestEvent extends Request<object> {
  constructor(detail: object = {}) {
    super('leave', detail);
  }
}
/** `on` absent: the other of what is. */
export class PmMicRequestEvent extends Request<{ on?: boolean }> {
  constructor(detail: { on?: boolean } = {}) {
    super('mic', detail);
  }
}
export class PmCameraRequestEvent extends Request<{ on?: boolean }> {
  constructor(detail: { on?: boolean } = {}) {
    super('camera', detail);
  }
}

/** The notice for each event of the call. */
export const notices: { [K in keyof CallEvents]: new (detail: CallEvents[K]) => Notice<CallEvents[K]> } = {
  'state-change': PmStateChangeEvent,
  joined: PmJoinedEvent,
  left: PmLeftEvent,
  ready: PmReadyEvent,
  'participant-joined': PmParticipantJoinedEvent,
  'participant-updated': PmParticipantUpdatedEvent,
  'participant-left': PmParticipantLeftEvent,
  track: PmTrackEvent,
  error: PmErrorEvent,
};

export const requests = {
  preview: PmPreviewRequestEvent,
  join: PmJoinRequestEvent,
  leave: PmLeaveRequestEvent,
  mic: PmMicRequestEvent,
  camera: PmCameraRequestEvent,
};
export type RequestName = keyof typeof requests;
export type RequestDetail<K extends RequestName> = InstanceType<(typeof requests)[K]>['detail'];

declare global {
  interface HTMLElementEventMap {
    'pm-state-change': PmStateChangeEvent;
    'pm-joined': PmJoinedEvent;
    'pm-left': PmLeftEvent;
    'pm-ready': PmReadyEvent;
    'pm-participant-joined': PmParticipantJoinedEvent;
    'pm-participant-updated': PmParticipantUpdatedEvent;
    'pm-participant-left': PmParticipantLeftEvent;
    'pm-track': PmTrackEvent;
    'pm-error': PmErrorEvent;
    'pm-preview-request': PmPreviewRequestEvent;
    'pm-join-request': PmJoinRequestEvent;
    'pm-leave-request': PmLeaveRequestEvent;
    'pm-mic-request': PmMicRequestEvent;
    'pm-camera-request': PmCameraRequestEvent;
  }
}
