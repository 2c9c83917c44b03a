import { extname } from 'node:path'

/** Files with these extensions are clips whatever they hold, so that a damaged one is reported. */
export const videoExtensions = new Set(
  (
    'mp4 m4v mov qt 3gp 3g2 mkv webm mk3d avi divx mpg mpeg mpe m1v m2v mpv vob ts m2ts mts tp trp m2t wmv asf flv f4v ' +
    'ogv ogm mxf gxf lxf nut ivf y4m dv rm rmvb h261 h263 h26l h264 264 h265 265 hevc avc vc1 av1 obu drc mjpeg mjpg amv swf wtv dvr-ms ' +
    'nsv nuv pva dav mxg r3d cine dnxhd dnxhr roq cpk bik smk flc fli flm vmd mve thp viv ' +
    // Playlists name other files. They are refused with a clear message.
    'm3u8 m3u ffconcat'
  )
    .split(' ')
    .map((extension) => `.${extension}`),
)

export const isVideoName = (path: string) => videoExtensions.has(extname(path).toLowerCase())
