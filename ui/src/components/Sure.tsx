import { useState } from 'react';

import { Button } from '#ui/components/Button';

type Props = {
  label: string;
  sure: string;
  onPress: () => void;
  kind?: 'plain' | 'usual';
  /** Shorter words where it is plain what they are about: before, and at the second press. */
  says?: [string, string];
};

/** Something that one slip must not do: the second press does it. Who looks away has not pressed. */
export function Sure({ label, sure, onPress, kind = 'usual', says = [label, sure] }: Props) {
  const [isSure, setSure] = useState(false);
  return (
    <span onBlur={() => setSure(false)}>
      <Button
        label={isSure ? sure : label}
        kind={isSure ? 'bad' : kind}
        onPress={() => {
          setSure(!isSure);
          if (isSure) {
            onPress();
          }
        }}
      >
        {isSure ? says[1] : says[0]}
      </Button>
    </span>
  );
}
