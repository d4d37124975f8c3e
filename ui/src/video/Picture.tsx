import { useEffect, useRef } from 'react';

import { useApp } from '#ui/client';
import { watch } from '#ui/video/watch';
import type { Drawable } from '#ui/video/watch';

type Props = { track: string; isMirrored: boolean; size: { width: number; height: number } };

/** The pictures of one track, as they come. */
export function Picture({ track, isMirrored, size }: Props) {
  const place = useRef<HTMLCanvasElement>(null);
  const address = useApp((app) => app?.frames);
  useEffect(() => {
    const canvas = place.current;
    if (canvas === null || address === undefined) {
      return;
    }
    return watch(address, track, (picture) => paint(canvas, picture, isMirrored));
  }, [address, track, isMirrored]);
  return <canvas ref={place} style={{ width: size.width, height: size.height, objectFit: 'contain' }} />;
}

function paint(canvas: HTMLCanvasElement, { source, width, height }: Drawable, isMirrored: boolean): void {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) {
    return;
  }
  if (source instanceof ImageData) {
    context.putImageData(source, 0, 0);
    canvas.style.transform = isMirrored ? 'scaleX(-1)' : '';
    return;
  }
  // Mirrored while drawing: a transform of the element would cost a layer.
  context.setTransform(isMirrored ? -1 : 1, 0, 0, 1, isMirrored ? width : 0, 0);
  context.drawImage(source, 0, 0, width, height);
}
