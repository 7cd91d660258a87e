import { Call } from '../core.js';

const call = new Call();
const [form, output, main] = document.querySelectorAll('form, output, main');
const { who, join, mute, leave } = form.elements;

function play(element, stream) {
  if (element.srcObject === stream) return;
  element.srcObject = stream;
  // Nothing is held back after a click; a stream that is replaced at once is of no interest.
  if (stream) element.play().catch(() => undefined);
}

function draw({ phase, participants, wanted, failure }) {
  const inCall = phase === 'joined' || phase === 'reconnecting';
  who.hidden = join.hidden = inCall;
  mute.hidden = leave.hidden = !inCall;
  mute.textContent = wanted.mic ? 'Mute' : 'Unmute';
  output.textContent = failure?.message ?? phase;
  const tiles = new Map([...main.children].map((tile) => [tile.dataset.id, tile]));
  for (const { id, self, name, sources } of inCall ? participants : []) {
    const tile = tiles.get(id) ?? main.appendChild(document.createElement('figure'));
    if (!tiles.delete(id))
      for (const tag of ['video', 'audio', 'p']) tile.append(document.createElement(tag));
    const [video, audio, caption] = tile.children;
    tile.dataset.id = id;
    video.playsInline = true;
    caption.textContent = self ? `${name} (you)` : name;
    play(video, sources.camera.stream);
    play(audio, self ? null : sources.mic.stream);
  }
  for (const tile of tiles.values()) tile.remove();
}

call.subscribe((state) => state, draw);
mute.addEventListener('click', () => call.toggleMic().catch(({ message }) => (output.textContent = message)));
leave.addEventListener('click', () => call.leave());
form.addEventListener('submit', (event) => {
  event.preventDefault();
  call.configure({ room: new URL(location).searchParams.get('room') ?? 'core-only', displayName: who.value });
  call.join().catch(({ message }) => (output.textContent = message));
});
