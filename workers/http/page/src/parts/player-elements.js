/** The modules of media-chrome that the player uses. The build reads this list, too. */
export const playerElements = [
  'media-controller',
  'media-control-bar',
  'media-play-button',
  'media-seek-backward-button',
  'media-seek-forward-button',
  'media-time-range',
  'media-time-display',
  'media-mute-button',
  'media-fullscreen-button',
  'media-loading-indicator',
]
