// How a picture lies in its frame: `{scale, x, y}`, where a point p of the picture is drawn at p * scale + (x, y).

export const STEP = 1.25;
const LEAST = 0.02;
const MOST = 40;

/** All of the picture in the middle of the frame; a small one is not blown up beyond eight times. */
export function fitted(picture, frame, most = 8) {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height, most) || 1;
  return centred(picture, frame, scale);
}

function centred(picture, frame, scale) {
  return { scale, x: (frame.width - picture.width * scale) / 2, y: (frame.height - picture.height * scale) / 2 };
}

/** Larger or smaller by a factor, while the point of the frame that is under the pointer stays where it is. */
export function zoomed(view, factor, at) {
  const scale = Math.min(MOST, Math.max(LEAST, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by };
}

/** Kept in sight: a picture smaller than the frame is centred, a larger one leaves no gap. */
export function kept(view, picture, frame) {
  const place = (offset, size, room) => (size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, offset)));
  return {
    scale: view.scale,
    x: place(view.x, picture.width * view.scale, frame.width),
    y: place(view.y, picture.height * view.scale, frame.height),
  };
}

/** A region in the middle of the frame with room around it. */
export function around(points, frame, room = 3) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const width = Math.max(Math.max(...xs) - left, 1);
  const height = Math.max(Math.max(...ys) - top, 1);
  const scale = Math.min(MOST, Math.max(LEAST, Math.min(frame.width / (width * 1.3), frame.height / (height * room))));
  return { scale, x: frame.width / 2 - (left + width / 2) * scale, y: frame.height / 2 - (top + height / 2) * scale };
}
