/** The demo page: the room comes from the address, so that a copied address is an invitation. */

const DEFAULT_ROOM = 'hello';
const MAX_NAME = 128;
const first = 'amber blue calm clear early gentle green kind light quiet silver sunny warm wild'.split(' ');
const second = 'birch brook cedar cloud field garden harbour hill lake maple meadow river stone valley'.split(
  ' ',
);

const element = (id) => document.getElementById(id);
const pick = (words) => words[crypto.getRandomValues(new Uint32Array(1))[0] % words.length];
const randomRoom = () =>
  `${pick(first)}-${pick(second)}-${100 + (crypto.getRandomValues(new Uint32Array(1))[0] % 900)}`;

function roomFromAddress() {
  const [, name] = location.pathname.match(/^\/r\/([^/]+)\/?$/) ?? [];
  try {
    return (
      decodeURIComponent(name ?? '')
        .trim()
        .slice(0, MAX_NAME) || DEFAULT_ROOM
    );
  } catch {
    return DEFAULT_ROOM; // a malformed escape
  }
}

/** Asks the clipboard; where that is refused, or missing on an insecure page, the old way with a selection. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = element('link');
    field.value = text;
    field.hidden = false;
    field.select();
    const copied = document.execCommand('copy');
    field.hidden = copied;
    if (!copied) field.addEventListener('blur', () => (field.hidden = true), { once: true });
    return copied;
  }
}

function copies(button, text) {
  const label = button.textContent;
  let timer;
  button.addEventListener('click', async () => {
    const copied = await copy(text());
    element('said').textContent = copied ? 'Copied' : 'Selected: press Ctrl or ⌘ and C to copy';
    button.textContent = copied ? 'Copied' : 'Press Ctrl+C';
    if (copied) button.focus();
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = label;
      element('said').textContent = '';
    }, 2500);
  });
}

const room = roomFromAddress();
const path = `/r/${encodeURIComponent(room)}`;
// Queries are kept: they are settings of this visit, no part of the invitation.
history.replaceState(null, '', path + location.search + location.hash);
document.title = `${room} · Private Meet`;
element('new-room').href = `/r/${randomRoom()}`;

const call = element('call');
call.room = room;
call.relay = new URL('/ws', location.origin).href.replace(/^http/, 'ws');

const socket = `${location.origin.replace(/^http/, 'ws')}/ws`;
element('snippet').textContent = [
  `<script type="module" src="${location.origin}/pm-elements.js"></script>`,
  `<pm-room room="standup" relay="${socket}"></pm-room>`,
].join('\n');

copies(element('copy-link'), () => location.origin + path);
copies(element('copy-snippet'), () => element('snippet').textContent);
