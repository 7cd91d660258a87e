/**
 * English. Short, plain, sentence case. Of two lines the first says what is, the second what to do. `{}` is filled in.
 * Reasons and error codes are keys themselves.
 */
export const en = {
  mic: 'Microphone',
  camera: 'Camera',
  leave: 'Leave',
  'turn-on': 'Turn on {}',
  'turn-off': 'Turn off {}',

  you: 'You',
  guest: 'Guest',
  muted: 'muted',
  starting: 'Starting camera',
  connecting: 'Connecting',
  interrupted: 'Reconnecting',
  unreachable: 'No connection',
  more: '{} more',

  'your-name': 'Your name',
  preview: 'Preview camera',
  join: 'Join',
  joining: 'Joining',
  unseen: 'No one sees or hears you yet.',
  'try-again': 'Try again',

  call: 'Call',
  controls: 'Call controls',
  alone: 'No one else is here yet\nOthers appear here as they join.',
  reconnecting: 'Reconnecting to the room\nYou can keep talking.',
  'no-sound': 'Your browser is holding back the sound',
  'play-sound': 'Turn on sound',
  close: 'Close',
  'participant-joined': '{} joined',
  'participant-left': '{} left',
  'join-again': 'Join again',

  'your-camera': 'your camera',
  'your-mic': 'your microphone',
  'your-both': 'your camera and microphone',
  'permission-denied': 'No access to {}\nAllow it in the address bar, then try again.',
  'device-not-found': 'Cannot find {}\nPlug it in, then try again.',
  'device-in-use': 'Another app uses {}\nClose that app, then try again.',
  'insecure-context': 'This page cannot use {}\nIts address has to begin with https.',
  'capture-failed': 'Cannot start {}\nPlug it in again, then try again.',

  user: 'You left the call',
  ended: 'The call has ended',
  replaced: 'You joined from somewhere else\nThis page is no longer in the call.',
  'room-full': 'The room is full\nTry again when someone has left.',
  'room-locked': 'The room is locked\nAsk someone inside to let you in.',
  'token-invalid': 'Your invitation is no longer valid\nAsk for a new link.',
  'relay-unreachable': 'The room cannot be reached\nCheck your connection, then try again.',
  'rate-limited': 'Too many tries\nWait a minute, then try again.',
  usage: 'This room is not set up yet\nTell whoever runs this page.',
  failed: 'Joining did not work\nReload the page, then try again.',
};

export type WordKey = keyof typeof en;
