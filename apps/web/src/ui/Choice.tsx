/** One of a few: radio buttons that look like one control. */
import { useId } from 'react';

interface ChoiceProps<T extends string> {
  readonly name: string;
  readonly label: string;
  readonly options: readonly T[];
  readonly words: Readonly<Record<T, string>>;
  readonly value: T;
  readonly onChange: (value: T) => void;
}

export const Choice = <T extends string>({
  name,
  label,
  options,
  words,
  value,
  onChange,
}: ChoiceProps<T>) => {
  const group = useId();
  return (
    <fieldset className="choice" data-choice={name}>
      <legend>{label}</legend>
      {options.map((option) => (
        <label key={option} data-chosen={option === value}>
          <input
            type="radio"
            name={group}
            checked={option === value}
            onChange={() => onChange(option)}
          />
          {words[option]}
        </label>
      ))}
    </fieldset>
  );
};
