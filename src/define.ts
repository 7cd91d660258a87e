/**
 * Defines every element, the room first, since the others look for it. A name that is taken is left alone: a second
 * copy of this script must not throw, and its elements find the first one's room by the context's shared key. Without
 * a DOM nothing happens.
 */
import { PmControls } from './elements/pm-controls.ts';
import { PmGrid } from './elements/pm-grid.ts';
import { PmLobby } from './elements/pm-lobby.ts';
import { PmRoom } from './elements/pm-room.ts';
import { PmToggle } from './elements/pm-toggle.ts';
import { PmVideoTile } from './elements/pm-video-tile.ts';

if (typeof customElements !== 'undefined') {
  const elements = {
    'pm-room': PmRoom,
    'pm-video-tile': PmVideoTile,
    'pm-grid': PmGrid,
    'pm-toggle': PmToggle,
    'pm-controls': PmControls,
    'pm-lobby': PmLobby,
  };
  for (const [name, element] of Object.entries(elements)) {
    if (!customElements.get(name)) customElements.define(name, element);
  }
}

export { PmControls, PmGrid, PmLobby, PmRoom, PmToggle, PmVideoTile };
