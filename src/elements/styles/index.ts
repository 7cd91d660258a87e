/** Every style sheet, from one place: side by side in the module they compress better. */
export { base } from './base.ts';
export { controls } from './controls.ts';
export { grid } from './grid.ts';
export { lobby } from './lobby.ts';
export { notice as noticeStyle } from './notice.ts';
export { room } from './room.ts';
export { tile } from './tile.ts';
export { toggle } from './toggle.ts';
