// What the channels ask of the database: who may use one, and which messages SQL has sent.

/** Returns {mayListen, maySend}: what the policies of realtime.messages say to these claims about this channel. */
export async function decideAccess(database, name, claims) {
  let access = { mayListen: false, maySend: false };
  try {
    await database.transaction(async (transaction) => {
      // As hosted: a message that is there only for the question. Sent and seen, or not, as the role of the token.
      const { rows } = await transaction.query(
        "insert into realtime.messages (topic, extension) values ($1, 'broadcast') returning id",
        [name],
      );
      await transaction.query(
        `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true),
          set_config('realtime.topic', $3, true)`,
        [claims.role, JSON.stringify(claims), name],
      );
      const seen = await transaction.query("select from realtime.messages where topic = $1 and id = $2", [
        name,
        rows[0].id,
      ]);
      access = { ...access, mayListen: seen.rows.length > 0 };
      await transaction.query("insert into realtime.messages (topic, extension) values ($1, 'broadcast')", [name]);
      access = { ...access, maySend: true };
      await transaction.rollback();
    });
  } catch (error) {
    // A refusal is how a policy says no to sending; the rest is for who writes the policies.
    if (!isPolicyRefusal(error)) console.error(`realtime: policies for ${JSON.stringify(name)}: ${error.message}`);
  }
  return access;
}

function isPolicyRefusal(error) {
  return error.code === "42501" && /row-level security/.test(error.message);
}

/** Returns the messages that SQL has sent and takes them off the table: [{name, isPrivate, payload}], in order. */
export async function takeMessages(database, maxBytes) {
  const { rows } = await database.query(
    `with taken as (delete from realtime.messages returning *)
    select id, topic, event, private, position,
      case when octet_length(payload::text) <= $1 then payload end as payload,
      coalesce(octet_length(payload::text), 0) as payload_bytes
    from taken where extension = 'broadcast' and event is not null order by position`,
    [maxBytes],
  );
  for (const { topic, payload_bytes: bytes } of rows) {
    if (bytes > maxBytes) console.error(`realtime: a message to ${topic} has ${bytes} bytes, ${maxBytes} are allowed`);
  }
  return rows
    .filter((row) => row.payload_bytes <= maxBytes)
    .map(({ id, topic, event, private: isPrivate, payload }) => ({
      name: topic,
      isPrivate: isPrivate === true,
      payload: { type: "broadcast", event, payload: payload ?? {}, meta: { id } },
    }));
}

/** Gives the room of taken messages back. */
export async function freeRoom(database) {
  await database.exec("vacuum realtime.messages");
}
