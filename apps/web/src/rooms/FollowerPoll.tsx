/** The question on a follower's screen. An answer is anonymous, counts at once, and may change until it is closed. */
import { useEffect, useState, type FormEvent } from 'react';
import { ORDER_SEPARATOR, type RoomPoll } from '@engine-room/engine/protocol/room/room.ts';
import { OrderField } from '../ui/OrderField.tsx';
import { answerWords } from './answer-words.ts';
import { say } from './follow.ts';
import { EngineSays, Histogram } from './Histogram.tsx';
import { useFollow } from './hooks.ts';
import { w } from '../messages/room-words.ts';

export const FollowerPoll = ({ poll }: { poll: RoomPoll }) => {
  const { kind, ask, options, isOpen, revealed } = poll;
  const you = useFollow((state) => state.you);
  // Shown at once; what the lab has taken is what counts, and comes a moment later.
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => setSaid(null), [you]);
  const answer = said ?? you?.answer ?? null;
  return (
    <section className="follower-poll" aria-label={w().poll}>
      {revealed ? (
        <>
          <h2>{ask}</h2>
          <Histogram poll={poll} counts={revealed.counts} truth={revealed.truth} />
          <EngineSays poll={poll} revealed={revealed} />
          {answer !== null && revealed.truth !== null && (
            <p role="status">{w().youWere(answer === revealed.truth)}</p>
          )}
        </>
      ) : kind === 'number' ? (
        <NumberAnswer poll={poll} answer={answer} />
      ) : kind === 'order' ? (
        <OrderAnswer key={poll.id} poll={poll} answer={answer} />
      ) : (
        <fieldset disabled={!isOpen}>
          <legend>{ask}</legend>
          {options.map(({ id, say: words }) => (
            <label key={id} data-chosen={answer === id || undefined}>
              <input
                type="radio"
                name={poll.id}
                checked={answer === id}
                onChange={() => {
                  setSaid(id);
                  say({ type: 'answer', poll: poll.id, say: id });
                }}
              />
              {words}
            </label>
          ))}
        </fieldset>
      )}
      {!revealed && <p className="muted">{isOpen ? w().yourAnswer : w().closed}</p>}
    </section>
  );
};

/** It is there from the beginning, in some order; what is sent is what one has made of it. */
const OrderAnswer = ({ poll, answer }: { poll: RoomPoll; answer: string | null }) => {
  const { id, ask, options, isOpen } = poll;
  const [order, setOrder] = useState<readonly string[]>(
    () => answer?.split(ORDER_SEPARATOR) ?? options.map((option) => option.id),
  );
  const send = (event: FormEvent): void => {
    event.preventDefault();
    say({ type: 'answer', poll: id, say: order.join(ORDER_SEPARATOR) });
  };
  return (
    <form onSubmit={send}>
      <fieldset disabled={!isOpen}>
        <legend>{ask}</legend>
        <OrderField options={options} order={order} onChange={setOrder} />
      </fieldset>
      <button type="submit" disabled={!isOpen}>
        {w().saveAnswer}
      </button>
      {answer !== null && <p role="status">{w().saved(answerWords(poll, answer))}</p>}
    </form>
  );
};

const NumberAnswer = ({
  poll: { id, ask, isOpen },
  answer,
}: {
  poll: RoomPoll;
  answer: string | null;
}) => {
  const [typed, setTyped] = useState('');
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (typed !== '') say({ type: 'answer', poll: id, say: String(Number(typed)) });
  };
  return (
    <form onSubmit={send}>
      <h2>{ask}</h2>
      <label>
        {w().aNumber}{' '}
        <input
          inputMode="numeric"
          autoComplete="off"
          readOnly={!isOpen}
          value={typed}
          onChange={({ target }) => setTyped(target.value.replaceAll(/\D/g, '').slice(0, 12))}
        />
      </label>{' '}
      <button type="submit" disabled={!isOpen}>
        {w().saveAnswer}
      </button>
      {answer !== null && <p role="status">{w().saved(answer)}</p>}
    </form>
  );
};
