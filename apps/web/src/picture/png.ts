/** A picture as a PNG file, drawn with the fonts of the page at twice its pixels. */
import { pictureWords } from '../messages/picture-words.ts';
import { strikeOf, type Picture, type Shape } from './shapes.ts';
import { fontOf } from './text-lines.ts';

const SHARPNESS = 2;
/** No browser has a larger canvas for certain. */
const MOST_PIXELS = 16_000;

export const pngOf = async (picture: Picture): Promise<Blob> => {
  const { width, height, background, shapes } = picture;
  const scale = Math.min(SHARPNESS, MOST_PIXELS / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d');
  if (!context) throw new Error(pictureWords().noCanvas);
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const shape of shapes) {
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.globalAlpha = shape.opacity;
    draw(context, shape);
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error(pictureWords().noCanvas))),
      'image/png',
    );
  });
};

function draw(context: CanvasRenderingContext2D, shape: Shape): void {
  if (shape.kind === 'text') {
    const { text, x, baseline, width, font, fill, isStruck } = shape;
    context.font = fontOf(font);
    context.fillStyle = fill;
    context.fillText(text, x, baseline);
    if (isStruck) context.fillRect(x, strikeOf(shape), width, 1);
    return;
  }
  const path = new Path2D(shape.kind === 'path' ? shape.d : undefined);
  if (shape.kind === 'path') context.transform(...shape.matrix);
  else path.roundRect(shape.x, shape.y, shape.width, shape.height, shape.radius);
  if (shape.fill) {
    context.fillStyle = shape.fill;
    context.fill(path);
  }
  if (shape.stroke) {
    context.strokeStyle = shape.stroke;
    context.lineWidth = shape.strokeWidth;
    context.setLineDash([...shape.dash]);
    context.stroke(path);
  }
}
